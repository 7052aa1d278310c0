import type { Command, CommandTable } from './command.ts';

/** The commands in the order of the help text. */
export const commandTable = {
  start: async () => (await import('./commands/start.ts')).start,
  stop: async () => (await import('./commands/stop.ts')).stop,
  restart: async () => (await import('./commands/restart.ts')).restart,
  reload: async () => (await import('./commands/reload.ts')).reload,
  status: async () => (await import('./commands/status.ts')).status,
  logs: async () => (await import('./commands/logs.ts')).logs,
  top: async () => (await import('./commands/top.ts')).top,
  ui: async () => (await import('./commands/ui.ts')).ui,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  test: async () => (await import('./commands/test.ts')).test,
  usage: async () => (await import('./commands/usage.ts')).usage,
  run: async () => (await import('./commands/run.ts')).run,
  serve: async () => (await import('./commands/run.ts')).serve,
  env: async () => (await import('./commands/env.ts')).env,
  use: async () => (await import('./commands/use.ts')).use,
  unuse: async () => (await import('./commands/use.ts')).unuse,
  statusline: async () => (await import('./commands/statusline.ts')).statusline,
  completion: async () => (await import('./commands/completion.ts')).completion,
  bundle: async () => (await import('./commands/bundle.ts')).bundle,
  service: async () => (await import('./commands/service.ts')).service,
  pm2: async () => (await import('./commands/pm2.ts')).pm2,
  version: async () => (await import('./commands/version.ts')).version,
  init: async () => (await import('./commands/init.ts')).init,
  add: async () => (await import('./commands/add.ts')).add,
  list: async () => (await import('./commands/list.ts')).list,
  edit: async () => (await import('./commands/edit.ts')).edit,
  set: async () => (await import('./commands/set.ts')).set,
  key: async () => (await import('./commands/set.ts')).key,
  token: async () => (await import('./commands/set.ts')).token,
  remove: async () => (await import('./commands/remove.ts')).remove,
  providers: async () => (await import('./commands/providers.ts')).providers,
  import: async () => (await import('./commands/import.ts')).importSettings,
  help: async () => (await import('./commands/help.ts')).help,
} as const satisfies CommandTable<Command>;

export type CommandName = keyof typeof commandTable;

export const commandNames = Object.keys(commandTable) as CommandName[];

export function isCommandName(word: string): word is CommandName {
  return Object.hasOwn(commandTable, word);
}
