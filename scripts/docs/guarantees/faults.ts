import type { Guarantee } from '../guarantees.ts';
import { guarantee } from './guarantee.ts';

const RUNS = '100,000 runs of each property in the long mode, none failed';

/** Before the first byte the client gets a status; after it a legal event stream that ends in an error, never in a polite end. */
export const upstreamGuarantees: readonly Guarantee[] = [
  guarantee('U1', 'A host name that does not exist: 529 that names it'),
  guarantee('U2', 'A closed port: 529, after the repetitions that are allowed'),
  guarantee('U3', 'A connection that is reset or ends before the answer, at any byte: 529, repeated where allowed'),
  guarantee('U4', 'Silence before the answer: 504 at REQUEST_TIMEOUT'),
  guarantee('U5', 'Silence after the headers or in the middle: 504, or an error event at the idle limit'),
  guarantee('U6', 'A reset, or an early end of a chunked body, in the middle: an error event, never `message_stop`'),
  guarantee('U7', 'An end of the connection without a finish, which looks like success: an error event'),
  guarantee('U8', 'A body shorter than its length: an error event, or 529'),
  guarantee('U9', 'Not HTTP at all, or a bad chunk: 502 that names the address, or an error event'),
  guarantee('U10', 'Headers of 100 kB: 502'),
  guarantee('U11', 'A drip without end, of comments, blanks or an error: ended at REQUEST_TIMEOUT'),
  guarantee('U12', 'An answer or a line that is too large: 502, or an error event', { figure: '64 MiB, 10 MB a line' }),
  guarantee('U13', 'A redirect: 502 that names the address; never followed, so that no key goes elsewhere'),
  guarantee('U14', 'A server that does not speak TLS: 502 that says to use http://; a broken handshake: 529'),
  guarantee('U15', 'A self-signed certificate: 502 that names NODE_EXTRA_CA_CERTS'),
  guarantee('U16', 'A certificate for another name: 502 that says so'),
  guarantee('U17', 'An expired certificate: 502 that says so'),
  guarantee('U18', 'A key that no header can carry: refused at the start, with file and line'),
  guarantee('U19', 'Garbage: recorded streams spoilt at will never crash, stay legal, and mean the same however cut', {
    figure: RUNS,
  }),
  guarantee('U20', 'Compression nobody asked for, a page or an error with status 200: read, or the right status'),
];

export const clientGuarantees: readonly Guarantee[] = [
  guarantee('C1', 'A body over MAX_BODY_BYTES: 413 before it is read, also when only its decoded form is too large'),
  guarantee('C2', 'JSON of more than 256 levels: 400; of 100,000 levels anywhere: never a fault of our own'),
  guarantee('C3', 'Headers that drip: 408', { figure: '12.0 s' }),
  guarantee('C4', 'A body that drips: 408', { figure: '60.1 s' }),
  guarantee('C5', 'A thousand idle connections: requests are served as before', { figure: '1.7 ms a request' }),
  guarantee('C6', 'Smuggling, bare line feeds, two Hosts, 20 kB headers, absolute paths: 4xx; pipelining in order'),
  guarantee('C7', 'Invalid UTF-8 and a BOM are read, `__proto__` sets nothing, what is no JSON object is 400'),
  guarantee('C8', 'Whatever stands in a request is served or refused, never a fault of our own', {
    figure:
      '100,000 requests in the long mode, none failed; it found half a letter in a model’s name, which is a case now',
  }),
];
