// An ESME on npm smpp that binds, submits a message every few milliseconds and comes again when it is disconnected.
//
// Usage: node caller.js PORT. `sluice conform --listen` plays against it (docs/results.md). It ends when it is told to.
'use strict';

const smpp = require('smpp');

function call() {
  let timer;
  const session = smpp.connect({ url: `smpp://127.0.0.1:${process.argv[2]}` }, () => {
    session.bind_transceiver({ system_id: 'caller', password: 'secret' }, (pdu) => {
      if (pdu.command_status !== 0) return session.close();
      timer = setInterval(() => {
        session.submit_sm({ source_addr: 'Riverside', destination_addr: '447700900123', short_message: 'one of many' });
      }, 20);
    });
  });
  session.on('deliver_sm', (pdu) => session.send(pdu.response()));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    session.close();
  });
  session.on('error', () => {});
  session.on('close', () => {
    clearInterval(timer);
    setTimeout(call, 50);
  });
}

call();
