//! A stream of octets falls into PDUs within the cap, the same ones in whatever pieces it comes.

use sluice::smpp::decode::decode;
use sluice::smpp::frame::{HEADER_OCTETS, PDU_OCTETS_MAX_DEFAULT, frame};

/// The first octet chooses the cap; the others are the stream.
pub fn body(data: &[u8]) {
    let Some((choice, stream)) = data.split_first() else { return };
    let octets_max = [HEADER_OCTETS, 64, 1_000, PDU_OCTETS_MAX_DEFAULT][usize::from(choice % 4)];
    let mut rest = stream;
    let mut frames = 0;
    loop {
        let found = frame(rest, octets_max);
        in_pieces(rest, octets_max, found.as_ref().copied());
        match found {
            Ok(Some(octets)) => {
                assert!((HEADER_OCTETS..=octets_max).contains(&octets) && octets <= rest.len());
                // What a decoder makes of it is another target's matter; that it returns is this one's.
                let _ = decode(&rest[..octets]);
                rest = &rest[octets..];
                frames += 1;
            }
            Ok(None) => break,
            Err(error) => {
                let _ = (error.to_string(), error.protocol());
                break;
            }
        }
    }
    assert!(frames <= stream.len() / HEADER_OCTETS);
}

/// Fewer octets say "more", or the same error, and never anything else.
fn in_pieces<E: Copy>(rest: &[u8], octets_max: usize, found: Result<Option<usize>, E>) {
    let whole = found.ok().flatten().unwrap_or(rest.len());
    for octets in [0, 3, 4, 15, 16, whole.saturating_sub(1)] {
        let Some(piece) = rest.get(..octets.min(whole.saturating_sub(1))) else { continue };
        match frame(piece, octets_max) {
            Ok(None) => {}
            Ok(Some(octets)) => panic!("{octets} octets in {}", piece.len()),
            Err(_) => assert!(found.is_err(), "an error that goes away"),
        }
    }
}
