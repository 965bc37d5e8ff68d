'use strict'

const { lifetimes } = require('./base.js')
const { CALL, WRITE, count, fields, text } = require('./checks.js')
const { MisuseError } = require('./errors.js')
const { jsonSafe } = require('./json.js')
const { CacheOperations } = require('./operations.js')
const { OPCODES } = require('./opcodes.js')
const { Iteration, Listener } = require('./streams.js')

const CHUNK = 64 << 10
const INTERESTS = { created: 1, modified: 2, removed: 4, expired: 8 }

const ITERATION = ['batchSize', 'segments', 'filterConverter', 'includeMetadata']
const LISTENER = ['includeCurrentState', 'filter', 'converter', 'useRawData', 'interests']

/** Returns the bits of a listener's interests. */
function interestsOf(names) {
  if (names === undefined || names === null) return 0
  const isKnown = (name) => typeof name === 'string' && Object.hasOwn(INTERESTS, name)
  if (!Array.isArray(names) || !names.every(isKnown)) {
    throw new MisuseError(`interests: expected an array of ${Object.keys(INTERESTS).join(', ')}`)
  }
  return names.reduce((bits, name) => bits | INTERESTS[name], 0)
}

/** A cache of the cluster. Documented in index.d.ts. */
class Cache extends CacheOperations {
  constructor(driver, settings = {}) {
    const { traceparent } = settings
    if (traceparent !== undefined) text('traceparent', traceparent)
    const parameters = traceparent ? [['traceparent', Buffer.from(traceparent)]] : []
    super(driver, { ...settings, parameters })
  }

  get name() {
    return this._settings.name
  }

  _copy(changes) {
    return new Cache(this._driver, { ...this._settings, ...changes })
  }

  withFlags(flags) {
    return this._copy({ flags: count('flags', flags) })
  }

  withTimeout(timeout) {
    return this._copy({ timeout })
  }

  withCodecs(codecs) {
    return this._copy({ codecs })
  }

  withTraceparent(traceparent) {
    return this._copy({ traceparent })
  }

  async putAll(entries, options) {
    await this._execute(OPCODES.put_all, [lifetimes(options), this._pairs(entries)], options, WRITE)
  }

  async getAll(keys, options) {
    const wanted = Array.from(keys, (key) => this._key(key))
    return this._map(await this._execute(OPCODES.get_all, [wanted], options))
  }

  async bulkGet(count = 0, options) {
    return this._map(await this._execute(OPCODES.bulk_get, [count], options))
  }

  async bulkGetKeys(scope = 0, options) {
    const keys = await this._execute(OPCODES.bulk_get_keys, [scope], options)
    return keys.map((key) => this._decodedKey(key))
  }

  async *readStream(key, settings) {
    const { chunkLength = CHUNK, ...options } = fields('options', settings, [...CALL, 'chunkLength'])
    const first = await this._executeOn(OPCODES.start_get_stream, [this._key(key), chunkLength], options)
    const pinned = { ...options, member: first.member }
    let chunk = first.answer
    try {
      while (chunk !== null) {
        yield chunk.chunk
        if (chunk.complete) chunk = null
        else chunk = await this._execute(OPCODES.next_get_stream, [chunk.streamId], pinned)
      }
    } finally {
      if (chunk !== null) await this._execute(OPCODES.end_get_stream, [chunk.streamId], pinned)
    }
  }

  async writeStream(key, chunks, options) {
    const { version = 0n, signal, timeout } = fields('options', options, [...WRITE, 'version'])
    const args = [this._key(key), lifetimes(options), version]
    const started = await this._executeOn(OPCODES.start_put_stream, args, options, [...WRITE, 'version'])
    const [pinned, stream] = [{ signal, timeout, member: started.member }, started.answer]
    try {
      // Holds one chunk back: the last chunk carries a flag, and no chunk may be empty.
      let held = null
      for await (const chunk of chunks) {
        if (chunk.length === 0) continue
        if (held) await this._execute(OPCODES.next_put_stream, [stream, false, held], pinned)
        held = chunk
      }
      const last = [stream, true, held ?? Buffer.alloc(0)]
      return this._executed(await this._execute(OPCODES.next_put_stream, last, pinned))
    } catch (error) {
      await this._execute(OPCODES.end_put_stream, [stream], { member: started.member }).catch(() => {})
      throw error
    }
  }

  iterate(options) {
    const driver = this._driver
    const { batchSize = 1000, segments, filterConverter, includeMetadata } = fields('options', options, ITERATION)
    const settings = { batchSize, segments, filterConverter, includeMetadata, timeout: this._timeout }
    const iteration = driver.machine.iterate(driver.now(), this._cache, settings)
    driver.schedule()
    return new Iteration(driver, iteration, ({ key, values, metadata }) => {
      const decoded = values.map((data) => this._decoded(data, () => key))
      return { key: this._decodedKey(key), value: decoded[0], values: decoded, metadata: metadata && jsonSafe(metadata) }
    })
  }

  async listen(options) {
    const driver = this._driver
    const { interests, ...settings } = fields('options', options, LISTENER)
    const native = { ...settings, interests: interestsOf(interests) }
    const listener = driver.machine.listen(driver.now(), this._cache, native)
    return new Listener(driver, listener, (key) => this._decodedKey(key))._ready
  }

  enableNearCache(options) {
    this._driver.machine.nearCache(this._driver.now(), this._cache, options)
    this._driver.schedule()
  }

  disableNearCache() {
    this._driver.machine.removeNearCache(this._driver.now(), this._cache)
    this._driver.schedule()
  }

  async execute(operation, args = [], options) {
    return this._execute(operation, args, options)
  }
}

module.exports = { Cache }
