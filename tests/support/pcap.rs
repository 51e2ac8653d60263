//! Writes what a tape recorded as a capture file (pcap, raw IPv4), with made-up but consistent IP and TCP
//! headers around the real octets: a handshake, sequence and acknowledgement numbers, a FIN from each side.

use std::collections::BTreeMap;
use std::path::Path;

use super::tape::{Chunk, Way};

const LINK_TYPE_RAW_IP: u32 = 101;
const SNAP_LENGTH: u32 = 262_144;
const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;

/// Packets are this far apart; the real times say nothing about the octets and would differ from run to run.
const MICROS_PER_PACKET: u32 = 100;

/// One connection's made-up ends: the next sequence number of each side.
struct Connection {
    client_port: u16,
    server_port: u16,
    up: u32,
    down: u32,
}

/// The capture file of these chunks, which must be in the order they passed.
pub(crate) fn write(path: &Path, chunks: &[Chunk]) {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, SNAP_LENGTH, LINK_TYPE_RAW_IP] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    let mut clock = 0;
    let mut connections: BTreeMap<usize, Connection> = BTreeMap::new();
    for chunk in chunks {
        let connection = connections.entry(chunk.connection).or_insert_with(|| {
            let client_port = 40_000 + u16::try_from(chunk.connection).expect("few connections");
            let mut connection = Connection { client_port, server_port: chunk.port, up: 1_000, down: 5_000 };
            connection.packet(&mut file, &mut clock, Way::Up, SYN, &[]);
            connection.packet(&mut file, &mut clock, Way::Down, SYN | ACK, &[]);
            connection.packet(&mut file, &mut clock, Way::Up, ACK, &[]);
            connection
        });
        let flags = if chunk.octets.is_empty() { FIN | ACK } else { PSH | ACK };
        connection.packet(&mut file, &mut clock, chunk.way, flags, &chunk.octets);
    }
    std::fs::write(path, file).expect("the capture can be written");
}

impl Connection {
    fn packet(&mut self, file: &mut Vec<u8>, clock: &mut u32, way: Way, flags: u8, octets: &[u8]) {
        let (from, to, sequence, acknowledged) = match way {
            Way::Up => (self.client_port, self.server_port, self.up, self.down),
            Way::Down => (self.server_port, self.client_port, self.down, self.up),
        };
        let mut packet = ip_header(octets.len());
        packet.extend_from_slice(&from.to_be_bytes());
        packet.extend_from_slice(&to.to_be_bytes());
        packet.extend_from_slice(&sequence.to_be_bytes());
        packet.extend_from_slice(&if flags & ACK == 0 { 0 } else { acknowledged }.to_be_bytes());
        // Five words of header, the flags, a wide window, no checksum, no urgent data.
        packet.extend_from_slice(&[0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        packet.extend_from_slice(octets);

        let length = u32::try_from(packet.len()).expect("a read is smaller than an IP packet");
        for word in [*clock / 1_000_000, *clock % 1_000_000, length, length] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        file.extend_from_slice(&packet);
        *clock += MICROS_PER_PACKET;

        // SYN and FIN take a number of their own.
        let taken = u32::try_from(octets.len()).expect("a read is smaller than an IP packet")
            + u32::from(flags & (SYN | FIN) != 0);
        match way {
            Way::Up => self.up += taken,
            Way::Down => self.down += taken,
        }
    }
}

/// An IPv4 header from and to loopback for a TCP packet with this much payload. The checksum is left at zero.
fn ip_header(payload: usize) -> Vec<u8> {
    let total = u16::try_from(payload + 40).expect("a read is smaller than an IP packet");
    let mut header = vec![0x45, 0];
    header.extend_from_slice(&total.to_be_bytes());
    header.extend_from_slice(&[0, 0, 0x40, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
    header
}
