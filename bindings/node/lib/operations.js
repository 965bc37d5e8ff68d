// Written by generate.mjs from spec/vocabulary.json: change it there.
'use strict'

const { Base, CacheBase } = require('./base.js')
const { OPCODES } = require('./opcodes.js')

/** The operations of a cache, as the protocol has them. */
class CacheOperations extends CacheBase {
  /** Stores a value, whether or not there is one. */
  put(key, value, options = {}) {
    return this._execute(OPCODES.put, [this._key(key), options, this._value(value)], options).then(this._entry)
  }

  /** Reads a value. */
  get(key, options = {}) {
    return this._execute(OPCODES.get, [this._key(key)], options).then(this._found)
  }

  /** Stores a value if there is none. */
  putIfAbsent(key, value, options = {}) {
    return this._execute(OPCODES.put_if_absent, [this._key(key), options, this._value(value)], options).then(this._conditional)
  }

  /** Stores a value if there is one. */
  replace(key, value, options = {}) {
    return this._execute(OPCODES.replace, [this._key(key), options, this._value(value)], options).then(this._conditional)
  }

  /** Stores a value if the entry still has that version. */
  replaceIfUnmodified(key, entryVersion, value, options = {}) {
    return this._execute(OPCODES.replace_if_unmodified, [this._key(key), options, entryVersion, this._value(value)], options)
  }

  /** Removes an entry. */
  remove(key, options = {}) {
    return this._execute(OPCODES.remove, [this._key(key)], options).then(this._conditional)
  }

  /** Removes an entry if it still has that version. */
  removeIfUnmodified(key, entryVersion, options = {}) {
    return this._execute(OPCODES.remove_if_unmodified, [this._key(key), entryVersion], options)
  }

  /** Tells whether there is an entry. */
  containsKey(key, options = {}) {
    return this._execute(OPCODES.contains_key, [this._key(key)], options)
  }

  /** Reads a value and its version. */
  getWithVersion(key, options = {}) {
    return this._execute(OPCODES.get_with_version, [this._key(key)], options).then(this._entry)
  }

  /** Removes all entries. */
  clear(options = {}) {
    return this._execute(OPCODES.clear, [], options).then(this._nothing)
  }

  /** Tells the statistics of the cache and the server. */
  stats(options = {}) {
    return this._execute(OPCODES.stats, [], options).then(this._textMap)
  }

  /** Asks whether the server and the cache are there; also what the server can do. */
  ping(options = {}) {
    return this._execute(OPCODES.ping, [], options)
  }

  /** Reads a value, its version and its lifetimes. */
  getWithMetadata(key, options = {}) {
    return this._execute(OPCODES.get_with_metadata, [this._key(key)], options).then(this._entry)
  }

  /** Runs a query (a serialized `QueryRequest`). */
  query(query, options = {}) {
    return this._execute(OPCODES.query, [query], options)
  }

  /** Counts the entries. */
  size(options = {}) {
    return this._execute(OPCODES.size, [], options)
  }

  /** Runs a task in the server; at most 255 parameters. */
  exec(task, parameters = {}, options = {}) {
    return this._execute(OPCODES.exec, [task, Object.entries(parameters)], options)
  }

  /** Prepares a transaction, with a timeout of 60 s. */
  prepareTx(xid, onePhaseCommit, modifications, options = {}) {
    return this._execute(OPCODES.prepare_tx, [xid, onePhaseCommit, modifications], options)
  }

  /** Commits a prepared transaction. */
  commitTx(xid, options = {}) {
    return this._execute(OPCODES.commit_tx, [xid], options)
  }

  /** Rolls a transaction back. */
  rollbackTx(xid, options = {}) {
    return this._execute(OPCODES.rollback_tx, [xid], options)
  }

  /** Drops what the server remembers of a finished transaction. */
  forgetTx(xid, options = {}) {
    return this._execute(OPCODES.forget_tx, [xid], options).then(this._nothing)
  }

  /** Asks for the prepared transactions that nobody finished. */
  fetchTxRecovery(options = {}) {
    return this._execute(OPCODES.fetch_tx_recovery, [], options)
  }

  /** Prepares a transaction; the timeout is in milliseconds. */
  prepareTx2(xid, onePhaseCommit, recoverable, timeout, modifications, options = {}) {
    return this._execute(OPCODES.prepare_tx_2, [xid, onePhaseCommit, recoverable, timeout, modifications], options)
  }
}

/** The operations of a counter, as the protocol has them. */
class CounterOperations extends Base {
  /** Makes a counter. */
  create(configuration, options = {}) {
    return this._execute(OPCODES.counter_create, [this.name, configuration], options)
  }

  /** Tells how a counter was made. */
  getConfiguration(options = {}) {
    return this._execute(OPCODES.counter_get_configuration, [this.name], options)
  }

  /** Tells whether there is such a counter. Its reply is 0x51: 0x50 is taken by errors. */
  isDefined(options = {}) {
    return this._execute(OPCODES.counter_is_defined, [this.name], options)
  }

  /** Adds to a counter and tells its new value (0 for a weak one). */
  addAndGet(delta, options = {}) {
    return this._execute(OPCODES.counter_add_and_get, [this.name, delta], options)
  }

  /** Sets a counter back to its initial value. */
  reset(options = {}) {
    return this._execute(OPCODES.counter_reset, [this.name], options).then(this._nothing)
  }

  /** Tells the value of a counter. */
  get(options = {}) {
    return this._execute(OPCODES.counter_get, [this.name], options)
  }

  /** Sets a strong counter if it has the expected value, and tells the value it had. */
  compareAndSwap(expected, update, options = {}) {
    return this._execute(OPCODES.counter_compare_and_swap, [this.name, expected, update], options)
  }

  /** Drops the value of a counter; its configuration stays. */
  remove(options = {}) {
    return this._execute(OPCODES.counter_remove, [this.name], options)
  }

  /** Sets a strong counter and tells the value it had. */
  getAndSet(value, options = {}) {
    return this._execute(OPCODES.counter_get_and_set, [this.name, value], options)
  }
}

/** The operations of a multimap, as the protocol has them. */
class MultimapOperations extends CacheBase {
  /** Reads the values of a multimap key. */
  get(key, options = {}) {
    return this._execute(OPCODES.get_multimap, [this._key(key), this.supportsDuplicates], options).then(this._values)
  }

  /** Reads the values of a multimap key, with version and lifetimes. */
  getWithMetadata(key, options = {}) {
    return this._execute(OPCODES.get_multimap_with_metadata, [this._key(key), this.supportsDuplicates], options).then(this._valuesWithMetadata)
  }

  /** Adds a value to a multimap key; the expiration is sent and not used by the server. */
  put(key, value, options = {}) {
    return this._execute(OPCODES.put_multimap, [this._key(key), {}, this._value(value), this.supportsDuplicates], options).then(this._nothing)
  }

  /** Removes a multimap key with all its values. */
  removeKey(key, options = {}) {
    return this._execute(OPCODES.remove_key_multimap, [this._key(key), this.supportsDuplicates], options)
  }

  /** Removes a value from a multimap key. */
  removeEntry(key, value, options = {}) {
    return this._execute(OPCODES.remove_entry_multimap, [this._key(key), {}, this._value(value), this.supportsDuplicates], options)
  }

  /** Counts the entries of a multimap. */
  size(options = {}) {
    return this._execute(OPCODES.size_multimap, [this.supportsDuplicates], options)
  }

  /** Tells whether a multimap key has that value. */
  containsEntry(key, value, options = {}) {
    return this._execute(OPCODES.contains_entry_multimap, [this._key(key), {}, this._value(value), this.supportsDuplicates], options)
  }

  /** Tells whether a multimap has that key. */
  containsKey(key, options = {}) {
    return this._execute(OPCODES.contains_key_multimap, [this._key(key), this.supportsDuplicates], options)
  }

  /** Tells whether any key of a multimap has that value. */
  containsValue(value, options = {}) {
    return this._execute(OPCODES.contains_value_multimap, [{}, this._value(value), this.supportsDuplicates], options)
  }
}

module.exports = { CacheOperations, CounterOperations, MultimapOperations }
