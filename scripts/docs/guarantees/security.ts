import type { Guarantee } from '../guarantees.ts';
import { guarantee } from './guarantee.ts';

export const secretGuarantees: readonly Guarantee[] = [
  guarantee(
    'S1',
    'No key in logs, output, state, PM2’s lists and dump, environments, command lines, reports or answers',
    {
      figure: '0 hits, also encoded; each test of an instance looks for its own keys when it ends',
    },
  ),
  guarantee('S2', 'A key that the provider repeats in an error is masked by its value'),
  guarantee('S3', 'No credential and no cookie of the client goes to a provider whose key the instance has'),
  guarantee('S4', 'Keys are shown as their last four characters at most'),
];

export const accessGuarantees: readonly Guarantee[] = [
  guarantee('A1', 'Without HOST it listens on 127.0.0.1 alone'),
  guarantee(
    'A2',
    'An address that others can reach needs a token of 24 characters that is no placeholder, else exit 78',
  ),
  guarantee('A3', 'The token in either header, compared in constant time over SHA-256 of both'),
  guarantee('A4', 'A Host that is not this instance: 403'),
  guarantee('A5', 'Any Origin and any preflight: 403, and never a CORS header'),
  guarantee('A6', 'Anything but application/json: 415'),
  guarantee('A7', 'A dashboard that no web page can use', {
    open: 'There is no dashboard: /health, /metrics and `./manage top` are read by programs. One would need tests of its own.',
  }),
  guarantee(
    'A8',
    'Addresses come from the user’s files only, none is link-local unless allowed, no redirect is followed',
  ),
  guarantee('A9', 'Guessing a token is slowed down, and what was tried is in no log'),
];

export const supplyGuarantees: readonly Guarantee[] = [
  guarantee('K1', 'Every package is pinned with its hash; none has an install script', {
    figure: '259 of 259 with sha512, 0 scripts',
  }),
  guarantee('K2', 'npm runs no scripts, keeps versions exact and takes none younger than a week', {
    open: 'The first two hold. `min-release-age=7` makes `npm ci` refuse as long as a locked package is younger than a week: to be set once none is.',
  }),
  guarantee('K3', 'A CycloneDX bill of materials for each release', { command: 'npm run sbom' }),
  guarantee('K4', 'Only licences that were looked at', { figure: '259 packages' }),
  guarantee('K5', 'At most 60 packages in the executable', { figure: '54; PM2, a program of its own, brings 76' }),
  guarantee('K6', 'Published from CI only, with provenance and without a long-lived token', {
    open: 'Nothing is published yet. The workflow of the first release would reach it.',
  }),
  guarantee('K7', 'No known fault in a package', {
    open: '`npm audit` needs a registry that answers it; to be run where there is one, beside the tests and not in their way.',
    command: 'npm audit --omit=dev',
  }),
  guarantee('K8', 'The same sources give the same dist/main.cjs', { figure: 'equal from two folders' }),
];
