'use strict'

// One listener for each AbortSignal, however many operations share it: Node warns of more than ten.

const watched = new WeakMap()

/** Callbacks for the abort of a signal. */
class Watch {
  constructor(signal) {
    this.signal = signal
    this.callbacks = new Set()
    this.notify = () => {
      watched.delete(signal)
      for (const callback of this.callbacks) callback()
    }
    signal.addEventListener('abort', this.notify, { once: true })
    watched.set(signal, this)
  }

  remove(callback) {
    this.callbacks.delete(callback)
    if (this.callbacks.size > 0 || watched.get(this.signal) !== this) return
    watched.delete(this.signal)
    this.signal.removeEventListener('abort', this.notify)
  }
}

/** Calls `callback` when the signal is aborted; returns a function that ends this. */
function onAbort(signal, callback) {
  const watch = watched.get(signal) ?? new Watch(signal)
  watch.callbacks.add(callback)
  return () => watch.remove(callback)
}

module.exports = { onAbort }
