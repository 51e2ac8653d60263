// A message centre on npm smpp that does what its README shows and no more: one account, ids, answers.
//
// Usage: node centre.js [PORT]. Prints `ready smpp=ADDR`. `sluice conform` is run against it (docs/results.md).
'use strict';

const smpp = require('smpp');

let number = 0;
const server = smpp.createServer((session) => {
  for (const command of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
    session.on(command, (pdu) => {
      const known = pdu.system_id === 'riverside' && pdu.password === 'secret';
      session.send(pdu.response(known ? { system_id: 'foreign' } : { command_status: smpp.ESME_RBINDFAIL }));
      if (!known) session.close();
    });
  }
  for (const command of ['submit_sm', 'data_sm']) {
    session.on(command, (pdu) => {
      number += 1;
      session.send(pdu.response({ message_id: String(number) }));
    });
  }
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    session.close();
  });
  session.on('error', () => {});
});
server.listen(Number(process.argv[2] || 0), '127.0.0.1', () => {
  console.log(`ready smpp=127.0.0.1:${server.address().port}`);
});
