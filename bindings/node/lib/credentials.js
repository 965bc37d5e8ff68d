'use strict'

// PEM files of the TLS settings. Files that are replaced are read again: the next link uses them.

const { X509Certificate } = require('node:crypto')
const { readFileSync } = require('node:fs')
const tls = require('node:tls')

const { MisuseError } = require('./errors.js')

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g
const PLAIN = 'a port without TLS wants hotrod:// instead of hotrods://'

class Credentials {
  #files = []
  #context = null
  #problem = null

  /** Reads the files of the settings; throws MisuseError if one can't be used. `settings` is null without TLS. */
  constructor(settings) {
    if (settings === null) return
    try {
      this.context(settings)
    } catch (error) {
      throw new MisuseError(error.message, { cause: error })
    }
  }

  /** Returns the context for a link. Files that can't be used, such as half-written ones, leave the former one in use. */
  context({ trustCa, clientCertificate }) {
    try {
      const files = [['trust_ca', trustCa], ['client_certificate', clientCertificate?.certificate], ['client_key', clientCertificate?.key]]
      const content = files.map(([property, path]) => (path ? read(property, path) : undefined))
      if (this.#context === null || content.some((file, index) => !isSame(file, this.#files[index]))) {
        this.#context = make(files, content, clientCertificate?.keyPassword)
        this.#files = content
      }
      this.#problem = null
    } catch (error) {
      if (this.#context === null) throw error
      if (this.#problem !== error.message) {
        this.#problem = error.message
        process.emitWarning(`TLS files were replaced and can't be used; the former ones stay in use: ${error.message}`, 'HotRodWarning')
      }
    }
    return this.#context
  }
}

const isSame = (one, other) => (one && other ? one.equals(other) : one === other)

function read(property, path) {
  try {
    return readFileSync(path)
  } catch (error) {
    throw named([[property, path]], error)
  }
}

function named(files, error) {
  const names = files.filter(([, path]) => path).map(([property, path]) => `${property}=${path}`)
  return new Error(`${names.join(', ') || 'TLS'}: ${error.message}`, { cause: error })
}

function make(files, [ca, cert, key], passphrase) {
  const [authorities, ...identity] = files
  if (ca) {
    try {
      checkCertificates(ca)
    } catch (error) {
      throw named([authorities], error)
    }
  }
  try {
    // OpenSSL would not say what an encrypted key lacks.
    if (key && passphrase === undefined && /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(key.toString('latin1'))) {
      throw new Error("the client's key is encrypted, and there is no client_key_password")
    }
    // A leaf that is in trust_ca is trusted itself, as in the other languages (Node 22.9 and later; before, if it is self-signed).
    return tls.createSecureContext({ ca, cert, key, passphrase, allowPartialTrustChain: true })
  } catch (error) {
    throw named(identity, error)
  }
}

/** Checks that a file has whole certificates: OpenSSL ignores what follows a broken one. */
function checkCertificates(pem) {
  const text = pem.toString('latin1')
  const whole = text.match(CERTIFICATE) ?? []
  if (whole.length === 0) throw new Error('no certificate in PEM form in it')
  if (whole.length !== text.split('BEGIN CERTIFICATE-----').length - 1) throw new Error('a certificate is cut off')
  for (const certificate of whole) new X509Certificate(certificate)
}

/** Returns the error of a TLS handshake, with a hint for a server that does not speak TLS. */
function explained(error) {
  const explain = (what) => Object.assign(new Error(`${what}: ${PLAIN} (${error.message})`, { cause: error }), { code: error.code })
  switch (error.code) {
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
    case 'ERR_SSL_RECORD_LAYER_FAILURE':
      return explain('the server does not answer in TLS')
    case 'ECONNRESET':
      return explain('the server closed the connection in the TLS handshake')
    default:
      return error
  }
}

module.exports = { Credentials, explained }
