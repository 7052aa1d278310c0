import { resolve } from 'node:path';
import { main } from '../src/cli/main.ts';

// Also right in the one file that the build makes of this and all it imports, dist/manager.cjs.
main(resolve(import.meta.dirname, '..'));
