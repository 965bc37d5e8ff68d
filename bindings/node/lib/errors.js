// Written by generate.mjs from spec/vocabulary.json: change it there.
'use strict'

/** The root of all errors of this package. Its message says which operation, which member, and what may have happened. */
class HotRodError extends Error {
  constructor(message, details = {}) {
    super(message)
    this.operation = details.operation ?? null
    this.member = details.member ?? null
    this.status = details.status ?? null
    this.statusText = STATUSES[this.status] ?? null
    this.mayHaveBeenApplied = details.mayHaveBeenApplied ?? false
    this.attempts = details.attempts ?? 0
    this.parts = (details.parts ?? []).map(({ keys, error }) => ({ keys, error: errorOf(error) }))
    this.entries = details.entries ?? []
  }

  get name() {
    return this.constructor.name
  }
}

/** The caller did something wrong: an argument, a URI, the order of calls. Nothing was sent. */
class MisuseError extends HotRodError {}

/** Too much is going on: not now. Nothing was sent. */
class FullError extends HotRodError {}

/** The client is closed. */
class ClosedError extends HotRodError {}

/** The server answered with an error; its status and words are given. */
class ServerError extends HotRodError {}

/** No answer came in time. */
class TimedOutError extends HotRodError {}

/** The connection was lost, or the server broke the protocol, before the answer came. */
class DisconnectedError extends HotRodError {}

/** No member could be reached in time. */
class UnreachableError extends HotRodError {}

/** A server was reached and did not accept the session: wrong credentials, another protocol. */
class HandshakeError extends HotRodError {}

/** The operation can't be sent: the server's protocol version does not have it, or a field is too large. */
class RefusedError extends HotRodError {}

/** The member that holds the state that the operation speaks of is gone. */
class MemberGoneError extends HotRodError {}

/** Servers lost an iteration again and again. */
class IterationLostError extends HotRodError {}

/** Some parts of a bulk operation failed, and the others did not. */
class PartialError extends HotRodError {}

/** There is no counter of that name. */
class NoSuchCounterError extends HotRodError {}

/** A counter would leave its bounds; it was not changed. */
class OutOfBoundsError extends HotRodError {}

/** The server answered with something that the operation does not have for an answer. */
class UnexpectedAnswerError extends HotRodError {}

const ERRORS = {
  1: MisuseError,
  2: FullError,
  3: ClosedError,
  4: ServerError,
  5: TimedOutError,
  6: DisconnectedError,
  7: UnreachableError,
  8: HandshakeError,
  9: RefusedError,
  10: MemberGoneError,
  11: IterationLostError,
  12: PartialError,
  13: NoSuchCounterError,
  14: OutOfBoundsError,
  15: UnexpectedAnswerError,
}

const STATUSES = {
  0: 'success',
  1: 'not executed',
  2: 'key does not exist',
  3: 'success, with the previous value',
  4: 'not executed, with the present value',
  5: 'invalid iteration',
  6: 'success, object storage',
  7: 'success, with the previous value, object storage',
  8: 'not executed, with the present value, object storage',
  129: 'invalid magic or message id',
  130: 'unknown operation',
  131: 'unknown version',
  132: 'request parsing error',
  133: 'server error',
  134: 'operation timed out in the server',
  135: 'node suspected',
  136: 'illegal lifecycle state',
}

/** The error of a failure; null of none. */
function errorOf(failure) {
  if (failure === null || failure === undefined) return null
  const Kind = ERRORS[failure.code] ?? HotRodError
  return new Kind(failure.message, failure)
}

module.exports = {
  HotRodError,
  MisuseError,
  FullError,
  ClosedError,
  ServerError,
  TimedOutError,
  DisconnectedError,
  UnreachableError,
  HandshakeError,
  RefusedError,
  MemberGoneError,
  IterationLostError,
  PartialError,
  NoSuchCounterError,
  OutOfBoundsError,
  UnexpectedAnswerError,
  STATUSES,
  errorOf,
}
