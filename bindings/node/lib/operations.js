// Written by generate.mjs from spec/vocabulary.json: change it there.
'use strict'

const { Base, CacheBase } = require('./base.js')
const { OPCODES } = require('./opcodes.js')

/** The operations of a cache, as the protocol has them. */
class CacheOperations extends CacheBase {
  /** Stores a value, whether or not there is one. */
  async put(key, value, options = {}) {
    return this._entry(await this._execute(OPCODES.put, [this._key(key), options, this._value(value)], options))
  }

  /** Reads a value. */
  async get(key, options = {}) {
    return this._found(await this._execute(OPCODES.get, [this._key(key)], options))
  }

  /** Stores a value if there is none. */
  async putIfAbsent(key, value, options = {}) {
    return this._conditional(await this._execute(OPCODES.put_if_absent, [this._key(key), options, this._value(value)], options))
  }

  /** Stores a value if there is one. */
  async replace(key, value, options = {}) {
    return this._conditional(await this._execute(OPCODES.replace, [this._key(key), options, this._value(value)], options))
  }

  /** Stores a value if the entry still has that version. */
  async replaceIfUnmodified(key, entryVersion, value, options = {}) {
    return this._execute(OPCODES.replace_if_unmodified, [this._key(key), options, entryVersion, this._value(value)], options)
  }

  /** Removes an entry. */
  async remove(key, options = {}) {
    return this._conditional(await this._execute(OPCODES.remove, [this._key(key)], options))
  }

  /** Removes an entry if it still has that version. */
  async removeIfUnmodified(key, entryVersion, options = {}) {
    return this._execute(OPCODES.remove_if_unmodified, [this._key(key), entryVersion], options)
  }

  /** Tells whether there is an entry. */
  async containsKey(key, options = {}) {
    return this._execute(OPCODES.contains_key, [this._key(key)], options)
  }

  /** Reads a value and its version. */
  async getWithVersion(key, options = {}) {
    return this._entry(await this._execute(OPCODES.get_with_version, [this._key(key)], options))
  }

  /** Removes all entries. */
  async clear(options = {}) {
    await this._execute(OPCODES.clear, [], options)
  }

  /** Tells the statistics of the cache and the server. */
  async stats(options = {}) {
    return this._textMap(await this._execute(OPCODES.stats, [], options))
  }

  /** Asks whether the server and the cache are there; also what the server can do. */
  async ping(options = {}) {
    return this._execute(OPCODES.ping, [], options)
  }

  /** Reads a value, its version and its lifetimes. */
  async getWithMetadata(key, options = {}) {
    return this._entry(await this._execute(OPCODES.get_with_metadata, [this._key(key)], options))
  }

  /** Runs a query (a serialized `QueryRequest`). */
  async query(query, options = {}) {
    return this._execute(OPCODES.query, [query], options)
  }

  /** Counts the entries. */
  async size(options = {}) {
    return this._execute(OPCODES.size, [], options)
  }

  /** Runs a task in the server; at most 127 parameters. */
  async exec(task, parameters = {}, options = {}) {
    return this._execute(OPCODES.exec, [task, Object.entries(parameters)], options)
  }

  /** Prepares a transaction, with a timeout of 60 s. */
  async prepareTx(xid, onePhaseCommit, modifications, options = {}) {
    return this._execute(OPCODES.prepare_tx, [xid, onePhaseCommit, modifications], options)
  }

  /** Commits a prepared transaction. */
  async commitTx(xid, options = {}) {
    return this._execute(OPCODES.commit_tx, [xid], options)
  }

  /** Rolls a transaction back. */
  async rollbackTx(xid, options = {}) {
    return this._execute(OPCODES.rollback_tx, [xid], options)
  }

  /** Drops what the server remembers of a finished transaction. */
  async forgetTx(xid, options = {}) {
    await this._execute(OPCODES.forget_tx, [xid], options)
  }

  /** Asks for the prepared transactions that nobody finished. */
  async fetchTxRecovery(options = {}) {
    return this._execute(OPCODES.fetch_tx_recovery, [], options)
  }

  /** Prepares a transaction; the timeout is in milliseconds. */
  async prepareTx2(xid, onePhaseCommit, recoverable, timeout, modifications, options = {}) {
    return this._execute(OPCODES.prepare_tx_2, [xid, onePhaseCommit, recoverable, timeout, modifications], options)
  }
}

/** The operations of a counter, as the protocol has them. */
class CounterOperations extends Base {
  /** Makes a counter. */
  async create(configuration, options = {}) {
    return this._execute(OPCODES.counter_create, [this.name, configuration], options)
  }

  /** Tells how a counter was made. */
  async getConfiguration(options = {}) {
    return this._execute(OPCODES.counter_get_configuration, [this.name], options)
  }

  /** Tells whether there is such a counter. Its reply is 0x51: 0x50 is taken by errors. */
  async isDefined(options = {}) {
    return this._execute(OPCODES.counter_is_defined, [this.name], options)
  }

  /** Adds to a counter and tells its new value (0 for a weak one). */
  async addAndGet(delta, options = {}) {
    return this._execute(OPCODES.counter_add_and_get, [this.name, delta], options)
  }

  /** Sets a counter back to its initial value. */
  async reset(options = {}) {
    await this._execute(OPCODES.counter_reset, [this.name], options)
  }

  /** Tells the value of a counter. */
  async get(options = {}) {
    return this._execute(OPCODES.counter_get, [this.name], options)
  }

  /** Sets a strong counter if it has the expected value, and tells the value it had. */
  async compareAndSwap(expected, update, options = {}) {
    return this._execute(OPCODES.counter_compare_and_swap, [this.name, expected, update], options)
  }

  /** Drops the value of a counter; its configuration stays. */
  async remove(options = {}) {
    return this._execute(OPCODES.counter_remove, [this.name], options)
  }

  /** Sets a strong counter and tells the value it had. */
  async getAndSet(value, options = {}) {
    return this._execute(OPCODES.counter_get_and_set, [this.name, value], options)
  }
}

/** The operations of a multimap, as the protocol has them. */
class MultimapOperations extends CacheBase {
  /** Reads the values of a multimap key. */
  async get(key, options = {}) {
    return this._values(await this._execute(OPCODES.get_multimap, [this._key(key), this.supportsDuplicates], options))
  }

  /** Reads the values of a multimap key, with version and lifetimes. */
  async getWithMetadata(key, options = {}) {
    return this._valuesWithMetadata(await this._execute(OPCODES.get_multimap_with_metadata, [this._key(key), this.supportsDuplicates], options))
  }

  /** Adds a value to a multimap key; the expiration is sent and not used by the server. */
  async put(key, value, options = {}) {
    await this._execute(OPCODES.put_multimap, [this._key(key), {}, this._value(value), this.supportsDuplicates], options)
  }

  /** Removes a multimap key with all its values. */
  async removeKey(key, options = {}) {
    return this._execute(OPCODES.remove_key_multimap, [this._key(key), this.supportsDuplicates], options)
  }

  /** Removes a value from a multimap key. */
  async removeEntry(key, value, options = {}) {
    return this._execute(OPCODES.remove_entry_multimap, [this._key(key), {}, this._value(value), this.supportsDuplicates], options)
  }

  /** Counts the entries of a multimap. */
  async size(options = {}) {
    return this._execute(OPCODES.size_multimap, [this.supportsDuplicates], options)
  }

  /** Tells whether a multimap key has that value. */
  async containsEntry(key, value, options = {}) {
    return this._execute(OPCODES.contains_entry_multimap, [this._key(key), {}, this._value(value), this.supportsDuplicates], options)
  }

  /** Tells whether a multimap has that key. */
  async containsKey(key, options = {}) {
    return this._execute(OPCODES.contains_key_multimap, [this._key(key), this.supportsDuplicates], options)
  }

  /** Tells whether any key of a multimap has that value. */
  async containsValue(value, options = {}) {
    return this._execute(OPCODES.contains_value_multimap, [{}, this._value(value), this.supportsDuplicates], options)
  }
}

module.exports = { CacheOperations, CounterOperations, MultimapOperations }
