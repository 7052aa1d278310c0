/** The names of this machine, which a network proxy is never asked for: to it they would mean itself. */
const THIS_MACHINE = ['127.0.0.1', 'localhost', '::1'];

function othersIn(list: string): readonly string[] {
  const names = list.split(/[\s,]+/).filter((name) => name !== '' && !THIS_MACHINE.includes(name));
  return [...new Set(names)];
}

/** A list of hosts that need no network proxy, each once, and this machine at its end, whether and where it stood there before. */
export function withThisMachine(list: string): string {
  return [...othersIn(list), ...THIS_MACHINE].join(',');
}

/** Whether a list names more than this machine, which it need not name. */
export function namesOthers(list: string): boolean {
  return othersIn(list).length > 0;
}
