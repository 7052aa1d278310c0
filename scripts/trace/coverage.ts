/**
 * Preloaded into a traced process (`node --import`). It counts calls from the first module on, and sends what was entered since the
 * last time whenever the parent asks, and once more when the process has nothing left to do.
 */
import { type Profiler, Session } from 'node:inspector';

const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });

/** Taking the counts sets them back to zero. */
function sendCoverage(): void {
  session.post('Profiler.takePreciseCoverage', (error, coverage?: Profiler.TakePreciseCoverageReturnType) => {
    if (error !== null) throw error;
    process.send?.(coverage?.result);
  });
}

process.on('message', sendCoverage);
process.once('beforeExit', sendCoverage);
// No instance may outlive a parent that was killed.
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
