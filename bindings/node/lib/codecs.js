'use strict'

const { protostream } = require('./protostream.js')

/** Bytes, unchanged, in the cache's storage format; strings are encoded as UTF-8. */
const bytes = {
  mediaType: '',
  encode: (value) => (typeof value === 'string' ? Buffer.from(value) : value),
  decode: (data) => data,
}

/** Strings, as text/plain in UTF-8. */
const text = {
  mediaType: 'text/plain;charset=UTF-8',
  encode: (value) => {
    if (typeof value !== 'string') throw new TypeError('it is no string')
    return Buffer.from(value)
  },
  decode: (data) => data.toString(),
}

const JSON_CODEC = {
  mediaType: 'application/json',
  encode: (value) => {
    const text = JSON.stringify(value)
    if (text === undefined) throw new TypeError('JSON can not write it')
    return Buffer.from(text)
  },
  decode: (data) => JSON.parse(data),
}

/** JSON values, as application/json; a function, so that TypeScript can give the type of the values. */
const json = () => JSON_CODEC

/** Returns the codec of a media type; `bytes` for one that has none, or is text of another charset than UTF-8. */
function ofMediaType(mediaType) {
  const [name, ...parameters] = mediaType.toLowerCase().replaceAll(/[ "]/g, '').split(';')
  if (!parameters.every((parameter) => parameter === 'charset=utf-8')) return bytes
  if (name === 'text/plain') return text
  if (name === 'application/json') return JSON_CODEC
  return name === protostream().mediaType ? protostream() : bytes
}

module.exports = { codecs: { bytes, text, json, protostream }, ofMediaType }
