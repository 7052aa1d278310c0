import { defineCommand } from '../command.ts';
import { common } from '../options.ts';

/** Serves the page on which all instances can be watched in a browser. */
export const ui = defineCommand({
  usage: 'ui',
  summary: 'watch everything in a browser: instances, requests, tokens and cost',
  names: 'none',
  options: ['pagePort', 'background', 'stopPage', 'open', ...common],
  exclusive: ['background', 'stopPage'],
  examples: [
    ['./manage ui', 'opens the page; Ctrl-C ends it'],
    ['./manage ui --background', 'keeps it running; ./manage ui then opens it again'],
    ['./manage ui --stop', 'ends it'],
  ],
  details:
    'One page over all instances of this checkout, for you alone: it listens on 127.0.0.1, and each address that this prints or opens\nworks once. Over ssh forward the same port: ssh -L 8079:127.0.0.1:8079 HOST. It shows what status, top, logs, usage and doctor show,\nand never a prompt, an answer or a key (docs/PAGE.md).',

  run: async (context, invocation) => (await import('../ui/showPage.ts')).showPage(context, invocation),
});
