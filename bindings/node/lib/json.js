'use strict'

/** Writes bigints as decimal strings, since JSON.stringify refuses them. */
function toJSON() {
  return Object.fromEntries(Object.entries(this).map(([name, value]) => [name, typeof value === 'bigint' ? `${value}` : value]))
}

/** Makes an object with bigints fit for JSON.stringify. */
const jsonSafe = (object) => Object.defineProperty(object, 'toJSON', { value: toJSON, configurable: true, writable: true })

module.exports = { jsonSafe }
