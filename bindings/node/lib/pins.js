'use strict'

// SHA-256 of the native part that the package of each platform has. A release writes it (scripts/release.js); empty in the
// tree, so that nothing from a registry is loaded there.
module.exports = {}
