// A carrier built on npm smpp: accepts binds, answers submit_sm with ids, sends a receipt for each part.
//
// Usage: node smsc.js [tlvs] [early]. `tlvs` adds receipted_message_id and message_state to its receipts; `early` sends
// every third receipt before the response that names its id. Prints `ready smpp=ADDR`, and when it is told to end
// (SIGTERM) one JSON line with everything it saw. It judges nothing.
'use strict';

const smpp = require('smpp');

const with_tlvs = process.argv.includes('tlvs');
const some_early = process.argv.includes('early');
const seen = { binds: [], submits: [], receipts_answered: 0, unbinds: 0, errors: [] };
const receivers = [];

function clock() {
  return new Date().toISOString().replace(/[-T:]/g, '').slice(2, 12);
}

// By bind and in turn, as a carrier does that spreads receipts over all binds of an account.
let turn = 0;
function send_receipt(submit, id) {
  turn += 1;
  const bind = receivers[turn % receivers.length];
  const text = `id:${id} sub:001 dlvrd:001 submit date:${clock()} done date:${clock()} stat:DELIVRD err:000 text:`;
  const fields = {
    source_addr_ton: submit.dest_addr_ton,
    source_addr_npi: submit.dest_addr_npi,
    source_addr: submit.destination_addr,
    dest_addr_ton: submit.source_addr_ton,
    dest_addr_npi: submit.source_addr_npi,
    destination_addr: submit.source_addr,
    esm_class: 4,
    data_coding: 0,
    short_message: Buffer.from(text, 'latin1'),
  };
  if (with_tlvs) Object.assign(fields, { receipted_message_id: id, message_state: 2 });
  bind.deliver_sm(fields, (pdu) => {
    if (pdu.command_status === 0) seen.receipts_answered += 1;
    else seen.errors.push(`deliver_sm_resp: ${pdu.command_status}`);
  });
}

function submitted(session, pdu) {
  const number = seen.submits.length + 1;
  const id = (0x5a0000 + number).toString(16);
  const body = pdu.message_payload || pdu.short_message;
  seen.submits.push({
    id,
    to: pdu.destination_addr,
    from: pdu.source_addr,
    text: body.message.toString(),
    udh: (body.udh || []).map((element) => element.toString('hex')),
    data_coding: pdu.data_coding,
    esm_class: pdu.esm_class,
    registered_delivery: pdu.registered_delivery,
  });
  const asked = (pdu.registered_delivery & 1) === 1;
  const early = some_early && number % 3 === 0;
  if (asked && early) send_receipt(pdu, id);
  session.send(pdu.response({ message_id: id }));
  if (asked && !early) send_receipt(pdu, id);
}

const server = smpp.createServer((session) => {
  for (const command of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
    session.on(command, (pdu) => {
      seen.binds.push({ command, system_id: pdu.system_id, password: pdu.password });
      if (command !== 'bind_transmitter') receivers.push(session);
      session.send(pdu.response({ system_id: 'foreign' }));
    });
  }
  session.on('submit_sm', (pdu) => submitted(session, pdu));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    seen.unbinds += 1;
    session.send(pdu.response());
    session.close();
  });
  session.on('close', () => {
    const at = receivers.indexOf(session);
    if (at >= 0) receivers.splice(at, 1);
  });
  session.on('error', (error) => seen.errors.push(String(error)));
});
server.listen(0, '127.0.0.1', () => console.log(`ready smpp=127.0.0.1:${server.address().port}`));

process.on('SIGTERM', () => {
  console.log(JSON.stringify(seen));
  process.exit(0);
});
