'use strict'

const { CALL, codec, fields, timeout } = require('./checks.js')
const { DecodeError, MisuseError } = require('./errors.js')
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

  /** Returns the stored forms of an operation's keys; undefined if the machine derives them. */
  _storageKeys() {
    return undefined
  }

  _submit(operation, args, options, allowed, wanted) {
    const driver = this._driver
    return new Promise((resolve, reject) => {
      const { signal, timeout: limit = this._timeout, member } = fields('options', options, allowed)
      if (signal) throwIfAborted(signal)
      const storageKeys = this._storageKeys(operation, args)
      const submitted = driver.machine.submit(driver.now(), this._cache, operation, args, { member, timeout: limit, storageKeys })
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
    const { codecs } = driver ?? {}
    const [key, value] = [codec('codecs.key', given.key, codecs?.key), codec('codecs.value', given.value, codecs?.value)]
    super(driver, { ...settings, keyType: key?.mediaType, valueType: value?.mediaType })
    this._keyCodec = key
    this._valueCodec = value
    this._textMap = Object.fromEntries
  }

  _storageKeys(operation, args) {
    const codec = this._keyCodec
    if (codec.storageKey === undefined) return undefined
    const keys = this._driver.machine.keys(operation, args)
    try {
      return keys.map((key) => codec.storageKey(key))
    } catch (cause) {
      throw new MisuseError(`storageKey of the codec of keys failed: ${cause?.message}${this._declared('key')}`, { cause })
    }
  }

  // Of these, `key` is the caller's key of the entry.

  _found(data, key) {
    return data === null ? null : this._decoded(data, () => this._key(key))
  }

  _entry(entry, key) {
    return entry && jsonSafe({ ...entry, value: this._decoded(entry.value, () => this._key(key)) })
  }

  _executed({ executed }) {
    return executed
  }

  _isDone(outcome) {
    return outcome === 'done'
  }

  _conditional({ executed, previous }, key) {
    return { executed, previous: this._entry(previous, key) }
  }

  _values(list, key) {
    return list.map((data) => this._decoded(data, () => this._key(key)))
  }

  _valuesWithMetadata(found, key) {
    return found && { values: this._values(found.values, key), metadata: jsonSafe(found.metadata) }
  }

  /** Decodes a value; `keyOf` returns the key's bytes. */
  _decoded(data, keyOf) {
    try {
      return this._valueCodec.decode(data)
    } catch (error) {
      throw this._undecoded('value', keyOf().length, error)
    }
  }

  _decodedKey(data) {
    try {
      return this._keyCodec.decode(data)
    } catch (error) {
      throw this._undecoded('key', data.length, error)
    }
  }

  // Leaves the codec's message out: it may have a part of the value.
  _undecoded(part, length, cause) {
    const entry = `the ${part} of an entry of cache ${JSON.stringify(this._settings.name)} with a key of ${length} bytes`
    const declared = this._declared(part)
    return new DecodeError(`its codec can't decode ${entry}: ${cause?.name}${declared}`, { cause, mayHaveBeenApplied: true })
  }

  _key(key) {
    return this._encoded('key', this._keyCodec, key)
  }

  _value(value) {
    return this._encoded('value', this._valueCodec, value)
  }

  _encoded(part, codec, value) {
    try {
      return codec.encode(value)
    } catch (cause) {
      const problem = `its codec can't encode this ${typeof value}: ${cause?.message}`
      throw new MisuseError(`argument ${part}: ${problem}${this._declared(part)}`, { cause })
    }
  }

  /** Describes the declared media type of keys or of values, for the end of a message. */
  _declared(part) {
    const { mediaType } = part === 'key' ? this._keyCodec : this._valueCodec
    const declared = mediaType || this._driver.machine.defaultMediaTypes[part]
    return declared && `; ${part}s are declared as ${declared}`
  }

  _pairs(entries) {
    const pairs = typeof entries[Symbol.iterator] === 'function' ? [...entries] : Object.entries(entries)
    return pairs.map(([key, value]) => [this._key(key), this._value(value)])
  }

  _map(entries) {
    return new Map(entries.map(([key, value]) => [this._decodedKey(key), this._decoded(value, () => key)]))
  }
}

module.exports = { Base, CacheBase, lifetimes }
