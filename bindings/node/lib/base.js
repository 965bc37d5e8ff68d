'use strict'

const codecs = require('./codecs.js')
const { MisuseError } = require('./errors.js')

const microseconds = (milliseconds) => {
  if (milliseconds === undefined || milliseconds === null) return undefined
  if (!(milliseconds > 0 && milliseconds < 1e15)) {
    throw new MisuseError(`timeout: expected milliseconds above 0, got ${milliseconds}`)
  }
  return Math.max(1, Math.floor(milliseconds * 1000))
}

/** Releases the number of a cache that was collected. */
const collected = new FinalizationRegistry(({ machine, cache }) => machine.releaseCache(cache))

/** A cache of the machine, identified by its number; submits operations and awaits the answers. */
class Base {
  constructor(driver, settings) {
    this._driver = driver
    this._settings = settings
    this._timeout = microseconds(settings.timeout)
    this._cache = driver.machine.cache(driver.now(), settings.name, settings)
    collected.register(this, { machine: driver.machine, cache: this._cache })
    driver.schedule()
  }

  /** Returns the answer. */
  _execute(operation, args, options) {
    return this._submit(operation, args, options, answerOf)
  }

  /** Returns the answer and the member that sent it. */
  _executeOn(operation, args, options) {
    return this._submit(operation, args, options, (completed) => completed)
  }

  _submit(operation, args, { signal, timeout, member } = {}, wanted) {
    const driver = this._driver
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const limit = timeout === undefined ? this._timeout : microseconds(timeout)
      const submitted = driver.machine.submit(driver.now(), this._cache, operation, args, { member, timeout: limit })
      const waiting = { resolve: (completed) => resolve(wanted(completed)), reject, signal, abort: null }
      if (signal) {
        waiting.abort = () => {
          driver.pending.delete(submitted)
          driver.machine.cancel(submitted)
          driver.schedule()
          reject(signal.reason)
        }
        signal.addEventListener('abort', waiting.abort, { once: true })
      }
      driver.pending.set(submitted, waiting)
      driver.schedule()
    })
  }
}

const answerOf = (completed) => completed.answer

/** A cache and its codecs. */
class CacheBase extends Base {
  constructor(driver, settings) {
    const { key = codecs.bytes, value = codecs.bytes } = settings.codecs ?? {}
    super(driver, { ...settings, keyType: key.mediaType, valueType: value.mediaType })
    this._keyCodec = key
    this._valueCodec = value
    this._found = (data) => (data === null ? null : value.decode(data))
    this._entry = (entry) => entry && { ...entry, value: value.decode(entry.value) }
    this._conditional = ({ executed, previous }) => ({ executed, previous: this._entry(previous) })
    this._values = (list) => list.map((data) => value.decode(data))
    this._valuesWithMetadata = (found) => found && { ...found, values: this._values(found.values) }
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
    throw new MisuseError(`argument ${argument}: its codec can't encode this ${typeof value}: ${error.message}`)
  }
}

module.exports = { Base, CacheBase, microseconds }
