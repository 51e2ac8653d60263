// A platform built on npm smpp: binds, sends what it is told to, waits for its receipts, unbinds.
//
// Usage: node esme.js JOB, the same JSON file as for esme.py. The library has no splitter, so "split" is done here
// with 8-bit references; "payload" has no limit of 259 octets. Prints one JSON line with everything it saw.
'use strict';

const fs = require('fs');
const smpp = require('smpp');

const PATIENCE_MS = 45000;
const CODING = { gsm7: 0, ucs2: 8 };
const UNITS_PER_PART = { gsm7: 153, ucs2: 67 };

const job = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const seen = { responses: [], receipts: [], errors: [], submits: 0, unbound: false };

function pieces(message, reference) {
  const data_coding = CODING[message.alphabet];
  if (message.form === 'payload') return [{ data_coding, message_payload: message.text }];
  if (message.form === 'whole') return [{ data_coding, short_message: message.text }];
  const units = UNITS_PER_PART[message.alphabet];
  const total = Math.ceil(message.text.length / units);
  return Array.from({ length: total }, (_, part) => ({
    data_coding,
    short_message: {
      udh: Buffer.from([5, 0, 3, reference, total, part + 1]),
      message: message.text.slice(part * units, (part + 1) * units),
    },
  }));
}

function receipt(pdu) {
  const text = pdu.short_message.message.toString();
  const word = (name) => (text.match(new RegExp(`(?:^| )${name}:(\\S+)`)) || [])[1] || null;
  return {
    id: word('id'),
    stat: word('stat'),
    text,
    esm_class: pdu.esm_class,
    receipted_message_id: pdu.receipted_message_id ?? null,
    message_state: pdu.message_state ?? null,
    source: pdu.source_addr,
    destination: pdu.destination_addr,
  };
}

function end(code) {
  console.log(JSON.stringify(seen));
  process.exit(code);
}

function leave_when_done() {
  const reported = new Set(seen.receipts.map((receipt) => receipt.id));
  const accepted = seen.responses.filter((response) => response.status === 0);
  if (seen.responses.length < seen.submits || !accepted.every((response) => reported.has(response.id))) return;
  // A second report of anything would come at once; one round trip shows whether there is one.
  session.enquire_link(() => {
    session.unbind((pdu) => {
      seen.unbound = pdu.command === 'unbind_resp';
      session.close(() => end(0));
    });
  });
}

const session = smpp.connect({ host: job.host, port: job.port });
session.on('error', (error) => {
  seen.errors.push(String(error));
  end(1);
});
session.on('deliver_sm', (pdu) => {
  seen.receipts.push(receipt(pdu));
  session.send(pdu.response());
  leave_when_done();
});
session.on('enquire_link', (pdu) => session.send(pdu.response()));
session.on('connect', () => {
  session.bind_transceiver({ system_id: job.system_id, password: job.password, interface_version: 0x34 }, (bound) => {
    if (bound.command_status !== 0) {
      seen.errors.push(`bind: ${bound.command_status}`);
      end(1);
    }
    job.messages.forEach((message, index) => {
      for (const piece of pieces(message, index + 1)) {
        seen.submits += 1;
        const fields = {
          source_addr_ton: 5,
          source_addr_npi: 0,
          source_addr: job.source,
          dest_addr_ton: 1,
          dest_addr_npi: 1,
          destination_addr: message.to,
          registered_delivery: 1,
        };
        session.submit_sm(Object.assign(fields, piece), (pdu) => {
          seen.responses.push({ message: index, status: pdu.command_status, id: pdu.message_id || null });
          leave_when_done();
        });
      }
    });
  });
});
setTimeout(() => {
  seen.errors.push('ran out of patience');
  end(1);
}, PATIENCE_MS);
