/**
 * The first pass over a run: what it holds and whether it can be replayed. Replay, cold.
 */
import { FaultError } from '../faults/fault.js';
import type { CaptureFacts } from '../venues/capture-scout.js';
import type { Venue } from '../venues/venue.js';
import { CaptureRun } from './capture-run.js';

export interface CaptureSurvey {
  readonly facts: CaptureFacts;
  /** Receive time of the earliest entry, whole seconds of unix time. */
  readonly firstSecond: number;
}

/**
 * @param onProgress told the bytes read so far, once a batch
 * Throws FaultError: FILE_UNREADABLE, CAPTURE_MALFORMED, or BAD_CONFIG for a venue without replay.
 */
export async function surveyCapture(
  venue: Venue,
  paths: readonly string[],
  onProgress: (bytesRead: number) => void,
): Promise<CaptureSurvey> {
  const scout = venue.createCaptureScout?.();
  if (scout === undefined) throw new FaultError('BAD_CONFIG', `${venue.id} cannot be replayed yet`);
  const run = new CaptureRun(paths);
  let firstSecond = Infinity;
  for await (const batch of run.batches()) {
    for (const entry of batch) {
      if (entry.second < firstSecond) firstSecond = entry.second;
      if (entry.kind === 'frame') scout.onFrame(entry.file, entry.bytes);
      else scout.onAnswer(entry.file, entry.url ?? '', entry.bytes);
    }
    onProgress(run.bytesRead);
  }
  if (firstSecond === Infinity) {
    throw new FaultError('CAPTURE_MALFORMED', 'nothing was received in this capture');
  }
  return { facts: scout.finish(), firstSecond };
}
