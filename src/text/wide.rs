//! UTF-8 to UTF-16BE, 64 octets at a time, on processors with AVX-512 VBMI2. The only file with `unsafe`: it calls code compiled
//! for instructions that it has asked the processor for. [`encode_block`] is the scalar twin, which tests hold it to.

use crate::text::ucs2::{BLOCK, encode_block};

/// Says that the processor has the instructions. Only [`Wide::detect`] makes one.
#[derive(Clone, Copy)]
pub(super) struct Wide(());

impl Wide {
    /// Asks the processor, which the standard library does once.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn detect() -> Option<Wide> {
        let there = is_x86_feature_detected!("avx512vbmi2")
            && is_x86_feature_detected!("avx512vbmi")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("popcnt");
        there.then_some(Wide(()))
    }

    /// Other processors have other instructions.
    #[cfg(not(target_arch = "x86_64"))]
    pub(super) fn detect() -> Option<Wide> {
        None
    }

    /// As [`encode_block`], for up to 64 octets.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn encode(self, rest: &[u8], units: &mut [u8; 2 * BLOCK]) -> (usize, usize) {
        let mut last = [0u8; BLOCK];
        let block = rest.first_chunk::<BLOCK>().unwrap_or_else(|| {
            // No octet of the filling begins or continues a character of the text: it is cut off again below.
            last[..rest.len()].copy_from_slice(rest);
            &last
        });
        // SAFETY: `self` exists, so `detect` has found every feature that `x86::encode` is compiled for.
        #[expect(unsafe_code, reason = "the features are proven by self")]
        let (octets, count) = unsafe { x86::encode(block, rest.len().min(BLOCK), units) };
        if octets == 0 { encode_block(rest, units) } else { (octets, 2 * count) }
    }

    /// Never called: nothing makes a `Wide` here.
    #[cfg(not(target_arch = "x86_64"))]
    pub(super) fn encode(self, rest: &[u8], units: &mut [u8; 2 * BLOCK]) -> (usize, usize) {
        encode_block(rest, units)
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use core::arch::x86_64::*;

    use crate::text::ucs2::BLOCK;

    /// Octet `i` of the result is octet `i - distance` of the block.
    const fn shifted(distance: u8) -> [u8; 64] {
        let mut from = [0; 64];
        let mut at = 0;
        while at < 64 {
            from[at] = (at as u8).wrapping_sub(distance) & 63;
            at += 1;
        }
        from
    }

    /// Takes octets in turn from a first and a second vector, beginning at `start`.
    const fn in_turn(start: u8) -> [u8; 64] {
        let mut from = [0; 64];
        let mut at = 0;
        while at < 64 {
            from[at] = start + (at / 2) as u8 + if at % 2 == 1 { 64 } else { 0 };
            at += 1;
        }
        from
    }

    /// Encodes the characters that lie wholly in the first `present` octets, up to the first that needs a surrogate pair.
    /// Says how many octets and how many units that is.
    ///
    /// Each character is known by its last octet, of which two neighbours before it hold the higher bits: the octets of the
    /// units are computed in place, moved together, and put in turn.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,bmi1,popcnt")]
    pub(super) fn encode(block: &[u8; BLOCK], present: usize, units: &mut [u8; 2 * BLOCK]) -> (usize, usize) {
        let input = load(block);
        let byte = |value: u8| _mm512_set1_epi8(value as i8);
        let at_least = |value: u8| _mm512_cmpge_epu8_mask(input, byte(value));
        let there = u64::MAX >> (BLOCK - present);
        let (no_ascii, lead, lead_3, lead_4) = (at_least(0x80), at_least(0xC0), at_least(0xE0), at_least(0xF0));
        let last_of_2 = (lead & !lead_3) << 1;
        let last_of_3 = (lead_3 & !lead_4) << 2;
        let last = (!no_ascii | last_of_2 | last_of_3) & there & before(lead_4 & there);

        let previous = _mm512_maskz_permutexvar_epi8(last_of_2 | last_of_3, load(&shifted(1)), input);
        let first_of_3 = _mm512_maskz_permutexvar_epi8(last_of_3, load(&shifted(2)), input);
        let bits = |vector, mask: u8| _mm512_and_si512(vector, byte(mask));
        // The octets move as 16-bit lanes; what crosses between them is masked off.
        let high = _mm512_or_si512(
            bits(_mm512_slli_epi16::<4>(first_of_3), 0xF0),
            bits(_mm512_srli_epi16::<2>(previous), 0x0F),
        );
        let low = _mm512_or_si512(bits(_mm512_slli_epi16::<6>(previous), 0xC0), bits(input, 0x7F));

        let high = _mm512_maskz_compress_epi8(last, high);
        let low = _mm512_maskz_compress_epi8(last, low);
        if let [first, second] = units.as_chunks_mut::<BLOCK>().0 {
            store(_mm512_permutex2var_epi8(high, load(&in_turn(0)), low), first);
            store(_mm512_permutex2var_epi8(high, load(&in_turn(32)), low), second);
        }
        ((64 - last.leading_zeros()) as usize, last.count_ones() as usize)
    }

    /// All places before the lowest in `places`; all if there is none.
    fn before(places: u64) -> u64 {
        if places == 0 { u64::MAX } else { (places & places.wrapping_neg()) - 1 }
    }

    #[target_feature(enable = "avx512f")]
    fn store(octets: __m512i, into: &mut [u8; 64]) {
        // SAFETY: `into` is 64 octets that may be written, and the store asks for no alignment.
        #[expect(unsafe_code, reason = "a store through a reference of exactly its size")]
        unsafe {
            _mm512_storeu_si512(into.as_mut_ptr().cast(), octets);
        }
    }

    #[target_feature(enable = "avx512f")]
    fn load(octets: &[u8; 64]) -> __m512i {
        let (words, _) = octets.as_chunks::<8>();
        let word = |at: usize| i64::from_le_bytes(words[at]);
        _mm512_set_epi64(word(7), word(6), word(5), word(4), word(3), word(2), word(1), word(0))
    }
}
