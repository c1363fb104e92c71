/**
 * fast-check with a fixed seed: generated tests draw the same cases in every run, so that a run says
 * something about the code and not about luck. `RINGSIDE_SEED=$RANDOM npm test` explores.
 */
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['RINGSIDE_SEED'] ?? 41) });

export default fc;
