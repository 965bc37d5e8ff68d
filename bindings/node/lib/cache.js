'use strict'

const { MisuseError } = require('./errors.js')
const { CacheOperations } = require('./operations.js')
const { OPCODES } = require('./opcodes.js')
const { Iteration, Listener } = require('./streams.js')

const CHUNK = 64 << 10
const INTERESTS = { created: 1, modified: 2, removed: 4, expired: 8 }

/** A cache of the cluster. Documented in index.d.ts. */
class Cache extends CacheOperations {
  constructor(driver, settings) {
    const { traceparent } = settings
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
    return this._copy({ flags })
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

  async putAll(entries, options = {}) {
    await this._execute(OPCODES.put_all, [options, this._pairs(entries)], options)
  }

  async getAll(keys, options = {}) {
    const wanted = Array.from(keys, (key) => this._key(key))
    return this._map(await this._execute(OPCODES.get_all, [wanted], options))
  }

  async bulkGet(count = 0, options = {}) {
    return this._map(await this._execute(OPCODES.bulk_get, [count], options))
  }

  async bulkGetKeys(scope = 0, options = {}) {
    const keys = await this._execute(OPCODES.bulk_get_keys, [scope], options)
    return keys.map((key) => this._keyCodec.decode(key))
  }

  async *readStream(key, { chunkLength = CHUNK, ...options } = {}) {
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

  async writeStream(key, chunks, options = {}) {
    const { version = 0n } = options
    const started = await this._executeOn(OPCODES.start_put_stream, [this._key(key), options, version], options)
    const [pinned, stream] = [{ ...options, member: started.member }, started.answer]
    try {
      // Holds one chunk back: the last chunk carries a flag, and no chunk may be empty.
      let held = null
      for await (const chunk of chunks) {
        if (chunk.length === 0) continue
        if (held) await this._execute(OPCODES.next_put_stream, [stream, false, held], pinned)
        held = chunk
      }
      const last = [stream, true, held ?? Buffer.alloc(0)]
      return this._conditional(await this._execute(OPCODES.next_put_stream, last, pinned))
    } catch (error) {
      await this._execute(OPCODES.end_put_stream, [stream], { member: started.member }).catch(() => {})
      throw error
    }
  }

  iterate(options = {}) {
    const driver = this._driver
    const { batchSize = 1000, segments, filterConverter, includeMetadata } = options
    const settings = { batchSize, segments, filterConverter, includeMetadata, timeout: this._timeout }
    const iteration = driver.machine.iterate(driver.now(), this._cache, settings)
    driver.schedule()
    return new Iteration(driver, iteration, ({ key, values, metadata }) => {
      const decoded = this._values(values)
      return { key: this._keyCodec.decode(key), value: decoded[0], values: decoded, metadata }
    })
  }

  async listen(options = {}) {
    const driver = this._driver
    const interests = (options.interests ?? []).reduce((sum, interest) => {
      if (!(interest in INTERESTS)) throw new MisuseError(`interests: there is no ${JSON.stringify(interest)}`)
      return sum | INTERESTS[interest]
    }, 0)
    const listener = driver.machine.listen(driver.now(), this._cache, { ...options, interests })
    return new Listener(driver, listener, (key) => this._keyCodec.decode(key))._ready
  }

  enableNearCache(options = {}) {
    this._driver.machine.nearCache(this._driver.now(), this._cache, options)
    this._driver.schedule()
  }

  disableNearCache() {
    this._driver.machine.removeNearCache(this._driver.now(), this._cache)
    this._driver.schedule()
  }

  execute(operation, args = [], options = {}) {
    return this._execute(operation, args, options)
  }
}

module.exports = { Cache }
