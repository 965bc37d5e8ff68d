'use strict'

const { CALL, codec, fields, timeout } = require('./checks.js')
const codecs = require('./codecs.js')
const { MisuseError } = require('./errors.js')
const { jsonSafe } = require('./json.js')
const { Machine } = require('./machine.js')
const { onAbort } = require('./signals.js')

/** Releases the number of a cache that was collected. */
const collected = new FinalizationRegistry(({ machine, cache }) => machine.releaseCache(cache))

/** A cache of the machine, identified by its number; submits operations and awaits the answers. */
class Base {
  constructor(driver, settings = {}) {
    if (!(driver?.machine instanceof Machine)) throw new MisuseError('caches, counters and multimaps come from a client: use connect()')
    const { name, flags, keyType, valueType, readFromAnyOwner, parameters } = settings
    this._driver = driver
    this._settings = settings
    this._timeout = timeout('timeout', settings.timeout)
    this._cache = driver.machine.cache(driver.now(), name, { flags, keyType, valueType, readFromAnyOwner, parameters })
    collected.register(this, { machine: driver.machine, cache: this._cache })
    driver.schedule()
  }

  _configuration(configuration) {
    return configuration && jsonSafe(configuration)
  }

  /** Returns the answer. */
  _execute(operation, args, options, allowed = CALL) {
    return this._submit(operation, args, options, allowed, answerOf)
  }

  /** Returns the answer and the member that sent it. */
  _executeOn(operation, args, options, allowed = CALL) {
    return this._submit(operation, args, options, allowed, (completed) => completed)
  }

  _submit(operation, args, options, allowed, wanted) {
    const driver = this._driver
    return new Promise((resolve, reject) => {
      const { signal, timeout: limit = this._timeout, member } = fields('options', options, allowed)
      if (signal) throwIfAborted(signal)
      const submitted = driver.machine.submit(driver.now(), this._cache, operation, args, { member, timeout: limit })
      const waiting = { resolve: (completed) => resolve(wanted(completed)), reject, forget: null }
      if (signal) {
        waiting.forget = onAbort(signal, () => {
          driver.pending.delete(submitted)
          driver.machine.cancel(submitted)
          driver.schedule()
          reject(signal.reason)
        })
      }
      driver.pending.set(submitted, waiting)
      driver.schedule()
    })
  }
}

const answerOf = (completed) => completed.answer

function throwIfAborted(signal) {
  if (!(signal instanceof AbortSignal)) throw new MisuseError('signal: expected an AbortSignal')
  signal.throwIfAborted()
}

/** Returns the lifetimes among the options of a write. */
const lifetimes = (options) => ({ lifespan: options?.lifespan, maxIdle: options?.maxIdle })

/** A cache and its codecs. */
class CacheBase extends Base {
  constructor(driver, settings = {}) {
    const given = fields('codecs', settings.codecs ?? undefined, ['key', 'value'])
    const [key, value] = [codec('codecs.key', given.key, codecs.bytes), codec('codecs.value', given.value, codecs.bytes)]
    super(driver, { ...settings, keyType: key.mediaType, valueType: value.mediaType })
    this._keyCodec = key
    this._valueCodec = value
    this._found = (data) => (data === null ? null : value.decode(data))
    this._entry = (entry) => entry && jsonSafe({ ...entry, value: value.decode(entry.value) })
    this._conditional = ({ executed, previous }) => ({ executed, previous: this._entry(previous) })
    this._values = (list) => list.map((data) => value.decode(data))
    this._valuesWithMetadata = (found) =>
      found && { values: this._values(found.values), metadata: jsonSafe(found.metadata) }
    this._textMap = Object.fromEntries
  }

  _key(key) {
    return encoded('key', this._keyCodec, key)
  }

  _value(value) {
    return encoded('value', this._valueCodec, value)
  }

  _pairs(entries) {
    const pairs = typeof entries[Symbol.iterator] === 'function' ? [...entries] : Object.entries(entries)
    return pairs.map(([key, value]) => [this._key(key), this._value(value)])
  }

  _map(entries) {
    return new Map(entries.map(([key, value]) => [this._keyCodec.decode(key), this._valueCodec.decode(value)]))
  }
}

function encoded(argument, codec, value) {
  try {
    return codec.encode(value)
  } catch (error) {
    throw new MisuseError(`argument ${argument}: its codec can't encode this ${typeof value}: ${error.message}`, { cause: error })
  }
}

module.exports = { Base, CacheBase, lifetimes }
