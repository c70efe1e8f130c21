// Sends what a bank's application would, through the Segment SDK as it comes
// from npm. Message ids are fixed, as they are in an application that keeps
// what it has to send and starts again after a crash.
//
//   node send.mjs http://127.0.0.1:8080 WRITE_KEY [stop]
//
// With "stop" the process dies without a flush once half has been handed over.
import { Analytics } from '@segment/analytics-node'

const [host, writeKey, stop] = process.argv.slice(2)
const analytics = new Analytics({ host, writeKey, flushAt: 20, maxRetries: 5 })
const failures = []
analytics.on('error', (e) => failures.push(String(e.reason ?? e.code ?? e)))

const customers = 10
const events = 25
for (let c = 0; c < customers; c++) {
  const userId = `sdk-${c}`
  analytics.identify({ userId, messageId: `identify-${c}`, traits: { segment: 'retail' } })
  analytics.group({ userId, groupId: 'branch-1', messageId: `group-${c}` })
  analytics.page({ userId, name: 'Loans', messageId: `page-${c}` })
  analytics.screen({ userId, name: 'Transfer', messageId: `screen-${c}` })
  analytics.alias({ userId, previousId: `anon-${c}`, messageId: `alias-${c}` })
  for (let n = 0; n < events; n++) {
    analytics.track({
      userId,
      event: 'loan_application_submitted',
      messageId: `track-${c}-${n}`,
      properties: { amount: 1000000 + n, note: 'Đơn vay' },
    })
  }
  if (stop && c === customers / 2) {
    await new Promise((done) => setTimeout(done, 50))
    process.kill(process.pid, 'SIGKILL')
  }
}
await analytics.closeAndFlush({ timeout: 20000 })
if (failures.length > 0) {
  console.error(failures)
  process.exit(1)
}
console.log(customers * (events + 5))
