/*
 * A model of the ring and its doorbell for the SPIN model checker: all interleavings of one producer
 * and one consumer over a ring of a few slots, with positions that wrap, batches, aborted claims,
 * sleeping and waking. Every shared index is read and written in single atomic steps, as Atomics
 * are; payload is written and read in steps of its own, one cell at a time, so that any record that is
 * looked at too early (or overwritten too soon) is seen torn.
 *
 *     spin -a ring.pml && gcc -O2 -DNOCLAIM -DSAFETY -o pan pan.c && ./pan -m100000
 *
 * Without -DNOCLAIM the check for invalid end states (somebody sleeps for ever) is silently off.
 * Bugs on request, each of which must be found (test/model/ring-model.test.ts):
 *     -DPUBLISH_BEFORE_WRITE   the tail is stored before the payload is written
 *     -DSLEEP_WITHOUT_RECHECK  the consumer sleeps without the second look
 *     -DCHECK_BEFORE_ANNOUNCE  the second look is taken before the announcement
 *     -DFREE_BEFORE_READ       the head is stored before the payload is read
 *     -DRING_BEFORE_COMMIT     the bell is rung before the tail is stored
 */
#define CAPACITY  4        /* slots */
#define POSITIONS 8        /* positions wrap at twice the capacity: 2^32 in small */
#define RECORDS   11       /* goes round the ring and the positions */
#define EMPTY     255

#define USED(t, h) (((t) + POSITIONS - (h)) % POSITIONS)

/* Shared memory: two payload cells a slot, so that a record can be torn. */
byte first[CAPACITY];
byte second[CAPACITY];
byte tail = POSITIONS - 3;  /* close to the wrap */
byte head = POSITIONS - 3;
bool asleep = false;

/* The futex: set by a wait that found the word still "asleep", cleared by a notify. */
bool waiting = false;

byte received = 0;

inline ring_bell() {
  if
  :: atomic { asleep -> asleep = false; waiting = false }  /* compareExchange 1 -> 0, then notify */
  :: atomic { !asleep -> skip }
  fi
}

active proctype Producer() {
  byte claimed = POSITIONS - 3;
  byte cachedHead = POSITIONS - 3;
  byte next = 0;
  byte inBatch = 0;
  byte slot;

  do
  :: next < RECORDS ->
     if
     :: USED(claimed, cachedHead) == CAPACITY ->
        cachedHead = head;                        /* acquire */
        if
        :: USED(claimed, cachedHead) == CAPACITY && inBatch > 0 ->
           goto publish                           /* commit before waiting for room */
        :: USED(claimed, cachedHead) == CAPACITY && inBatch == 0 ->
           (head != cachedHead)                   /* waits for room by looking again and again */
        :: else -> skip
        fi
     :: else ->
        slot = claimed % CAPACITY;
#ifdef PUBLISH_BEFORE_WRITE
        tail = (claimed + 1) % POSITIONS;
#endif
        first[slot] = next;
        second[slot] = next;
        claimed = (claimed + 1) % POSITIONS;
        next = next + 1;
        inBatch = inBatch + 1;
        if
        :: inBatch < 2 -> skip                    /* another record into the same batch */
        :: true -> goto publish
#ifndef PUBLISH_BEFORE_WRITE
        :: inBatch == 1 ->                        /* abort: what was claimed is forgotten */
           claimed = tail;
           next = next - inBatch;
           inBatch = 0;
           goto publish
#endif
        fi
     fi;
     goto more;
publish:
#ifdef RING_BEFORE_COMMIT
     ring_bell();
     tail = claimed;
#else
     tail = claimed;                              /* release: one commit for the batch */
     ring_bell();
#endif
     inBatch = 0;
more:
     skip
  :: next == RECORDS && inBatch > 0 -> goto publish
  :: next == RECORDS && inBatch == 0 -> break
  od
}

active proctype Consumer() {
  byte position = POSITIONS - 3;
  byte cachedTail = POSITIONS - 3;
  byte slot;
  byte a;
  byte b;

  do
  :: received < RECORDS ->
     if
     :: position != cachedTail ->
        slot = position % CAPACITY;
#ifdef FREE_BEFORE_READ
        head = (position + 1) % POSITIONS;
#endif
        a = first[slot];
        b = second[slot];
        assert(a == received && b == received);   /* whole, in order, once */
        first[slot] = EMPTY;
        second[slot] = EMPTY;
        position = (position + 1) % POSITIONS;
        received = received + 1;
        if
        :: position == cachedTail || received % 2 == 0 -> head = position  /* release, once a poll */
        :: else -> skip
        fi
     :: else ->
        cachedTail = tail;                        /* acquire */
        if
        :: position != cachedTail -> skip
        :: else ->
           head = position;
#ifdef CHECK_BEFORE_ANNOUNCE
           cachedTail = tail;
           asleep = true;
#else
           asleep = true;                         /* prepare */
#ifndef SLEEP_WITHOUT_RECHECK
           cachedTail = tail;                     /* the second look */
#endif
#endif
           if
           :: position != cachedTail -> asleep = false
           :: else ->
              atomic { waiting = asleep };        /* Atomics.wait: only if the word still says so */
              (!waiting);                         /* sleeps until notified; no timeout in the model */
              asleep = false
           fi
        fi
     fi
  :: received == RECORDS -> break
  od;
  assert(USED(tail, position) == 0)
}
