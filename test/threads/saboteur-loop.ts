/** A thread with sockets that has a saboteur beside its agents. */
import { parentPort } from 'node:worker_threads';
import { awaitAgents } from '../../src/node/loop-host.js';
import { Saboteur } from './saboteur.js';

awaitAgents(parentPort!, (data, agents) => [...agents, new Saboteur(data)]);
