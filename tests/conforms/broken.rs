//! Message centres that break the standard, each in its own way.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

/// How it is broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    /// Answers whatever comes with the response of the same number and ESME_ROK, and every message with the same id.
    AlwaysOk,
    /// Does what it should in simple cases, but ends no string by a NUL.
    NoNul,
    /// Takes connections and says nothing.
    Silent,
}

/// A running one. Its threads end with the test.
pub(crate) struct Broken {
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Broken {
    /// Starts one.
    pub(crate) fn start(way: Way) -> Broken {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                std::thread::spawn(move || serve(stream, way));
            }
        });
        Broken { address }
    }
}

fn serve(mut stream: TcpStream, way: Way) -> Option<()> {
    loop {
        let mut header = [0; 16];
        stream.read_exact(&mut header).ok()?;
        let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        // A length that makes no sense is taken for that of a header.
        let body = (word(0) as usize).clamp(16, 70_000) - 16;
        stream.read_exact(&mut vec![0; body]).ok()?;
        let command = word(4);
        if way == Way::Silent || command & 0x8000_0000 != 0 {
            continue;
        }
        let text: &[u8] = match command {
            0x01 | 0x02 | 0x09 if way == Way::NoNul => b"broken",
            0x03..=0x05 | 0x21 | 0x103 if way == Way::NoNul => b"00000001",
            0x01 | 0x02 | 0x09 => b"broken\0",
            0x04 | 0x05 | 0x103 => b"00000001\0",
            _ => b"",
        };
        let mut answer = Vec::new();
        for word in [16 + text.len() as u32, command | 0x8000_0000, 0, word(12)] {
            answer.extend_from_slice(&word.to_be_bytes());
        }
        answer.extend_from_slice(text);
        stream.write_all(&answer).ok()?;
    }
}
