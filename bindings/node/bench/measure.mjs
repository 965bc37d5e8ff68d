// Keeps a number of operations in flight for a while and reports their latencies; shared by all measured clients.

import { parseArgs } from 'node:util'

/** Parses the command line. */
export function parse() {
  const text = (value) => ({ type: 'string', default: value })
  return parseArgs({
    options: {
      host: text('127.0.0.1'),
      port: text('11222'),
      cache: text('bench'),
      'in-flight': text('64'),
      seconds: text('3'),
      'warmup-seconds': text('1'),
      'value-size': text('64'),
      'key-codec': text('bytes'),
    },
  }).values
}

export async function measure(options, operation) {
  const inFlight = Number(options['in-flight'])
  const seconds = Number(options.seconds)
  const begin = performance.now() + Number(options['warmup-seconds']) * 1000
  const end = begin + seconds * 1000
  let began = null
  const work = async (number) => {
    let [turn, counted] = [number, 0]
    for (;;) {
      const now = performance.now()
      if (now >= end) return counted
      if (now >= begin) began ??= process.cpuUsage()
      for (let repeat = 0; repeat < 20; repeat += 1) await operation(turn++)
      if (now >= begin) counted += 20
    }
  }
  const counts = await Promise.all(Array.from({ length: inFlight }, (_, number) => work(number)))
  const { user, system } = process.cpuUsage(began)
  const operations = counts.reduce((sum, count) => sum + count, 0)
  console.log(
    JSON.stringify({
      operations,
      ops_per_second: operations / seconds,
      cpu_us_per_operation: (user + system) / operations,
      peak_rss_kib: process.resourceUsage().maxRSS,
    }),
  )
}
