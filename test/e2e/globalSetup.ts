import { installClaude } from './claudeClient.ts';

/** Brings the real client before the tests that run it. */
export default function setup(): void {
  installClaude();
}
