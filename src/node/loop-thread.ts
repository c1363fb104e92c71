/** Entry of a Worker that hosts agents with sockets. A shell. */
import { parentPort } from 'node:worker_threads';
import { invariant } from '../faults/invariant.js';
import { awaitAgents } from './loop-host.js';
import { settleYoungGeneration } from './young-generation.js';

invariant(parentPort !== null, 'this file is the entry of a worker');
settleYoungGeneration();
awaitAgents(parentPort);
