//! The fastest paths, 64 octets at a time, on processors with AVX-512 VBMI2: UTF-8 to UTF-16BE, and ASCII to packed septets.
//!
//! The only file with `unsafe`, for three things: to call code compiled for instructions that the processor was asked for, to
//! load a block from a slice, and to store a block into the spare room of a vector. The portable code in [`crate::text::ucs2`]
//! and [`crate::text::gsm7`] does the same everywhere else, and tests hold the two together.

/// Says that the processor has the instructions. Only [`Wide::detect`] makes one.
#[derive(Clone, Copy)]
pub(super) struct Wide(());

#[cfg(not(target_arch = "x86_64"))]
impl Wide {
    /// Other processors have other instructions.
    pub(super) fn detect() -> Option<Wide> {
        None
    }

    /// Never called, as nothing makes a `Wide` here.
    pub(super) fn encode_ucs2(self, _rest: &[u8], _room: usize, _out: &mut Vec<u8>) -> usize {
        0
    }

    /// Never called, as nothing makes a `Wide` here.
    pub(super) fn pack_gsm7(self, _rest: &[u8], _packer: &mut crate::text::pack::Packer, _out: &mut Vec<u8>) -> usize {
        0
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "each use has its proof")]
mod x86 {
    use core::arch::x86_64::*;
    use std::sync::LazyLock;

    use crate::text::gsm7_table::LOW;
    use crate::text::pack::Packer;
    use crate::text::wide::Wide;

    /// Octets in a vector.
    const BLOCK: usize = 64;

    impl Wide {
        /// Asks the processor, once.
        pub(in crate::text) fn detect() -> Option<Wide> {
            static THERE: LazyLock<bool> = LazyLock::new(|| {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vbmi")
                    && is_x86_feature_detected!("avx512vbmi2")
                    && is_x86_feature_detected!("bmi2")
                    && is_x86_feature_detected!("popcnt")
            });
            THERE.then_some(Wide(()))
        }

        /// Appends the UTF-16BE units of the characters at the beginning of `rest`, which begins with a character, and says how
        /// many octets of it they took. Stops before a character that needs a pair, and before more than `room` units.
        pub(in crate::text) fn encode_ucs2(self, rest: &[u8], room: usize, out: &mut Vec<u8>) -> usize {
            // SAFETY: `self` exists, so `detect` has found every feature that the function is compiled for.
            unsafe { encode_ucs2(rest, room, out) }
        }

        /// Packs the septets of the characters at the beginning of `rest`, and says how many there were. Stops before a
        /// character that is not one octet of UTF-8 and one septet.
        pub(in crate::text) fn pack_gsm7(self, rest: &[u8], packer: &mut Packer, out: &mut Vec<u8>) -> usize {
            // SAFETY: as above.
            unsafe { pack_gsm7(rest, packer, out) }
        }
    }

    /// Each character is known by its last octet, of which two neighbours before it hold the higher bits: the octets of the
    /// units are computed in place, moved together, and put in turn.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,bmi2,popcnt")]
    fn encode_ucs2(rest: &[u8], room: usize, out: &mut Vec<u8>) -> usize {
        let bits = |vector, mask: u8| _mm512_and_si512(vector, _mm512_set1_epi8(mask as i8));
        let (mut at, mut written) = (0, 0);
        while at < rest.len() {
            let (input, there) = load(&rest[at..]);
            let at_least = |value: u8| _mm512_cmpge_epu8_mask(input, _mm512_set1_epi8(value as i8));
            let beyond_ascii = _mm512_movepi8_mask(input);
            let (lead, lead_3, lead_4) = (at_least(0xC0), at_least(0xE0), at_least(0xF0));
            let last_of_2 = (lead & !lead_3) << 1;
            let last_of_3 = (lead_3 & !lead_4) << 2;
            let last = (!beyond_ascii | last_of_2 | last_of_3) & there & before(lead_4);
            // No more characters than there is room for: the lowest places are kept.
            let left = room - written;
            let last = if left < BLOCK { _pdep_u64((1 << left) - 1, last) } else { last };
            let units = last.count_ones() as usize;
            if units == 0 {
                break;
            }
            let previous = earlier::<1>(&rest[at..], last & beyond_ascii);
            let first_of_3 = earlier::<2>(&rest[at..], last & last_of_3);
            // The octets move as lanes of 16 bits; what crosses between them is masked off.
            let high = _mm512_or_si512(
                bits(_mm512_slli_epi16::<4>(first_of_3), 0xF0),
                bits(_mm512_srli_epi16::<2>(previous), 0x0F),
            );
            let low = _mm512_or_si512(bits(_mm512_slli_epi16::<6>(previous), 0xC0), bits(input, 0x7F));
            let high = _mm512_maskz_compress_epi8(last, high);
            let low = _mm512_maskz_compress_epi8(last, low);
            let first = _mm512_permutex2var_epi8(high, table(&IN_TURN), low);
            let second = _mm512_permutex2var_epi8(high, table(&IN_TURN_LATER), low);
            append([first, second], 2 * units, out);
            written += units;
            // Where all is as usual the next place follows from three octets: the next block need not wait for this one.
            at += match rest[at..].first_chunk::<BLOCK>() {
                Some(block) if lead_4 == 0 && left >= BLOCK => whole_octets(block),
                _ => BLOCK - last.leading_zeros() as usize,
            };
        }
        at
    }

    /// How many octets of a block belong to characters that end in it, if none is of four octets.
    fn whole_octets(block: &[u8; BLOCK]) -> usize {
        if block[BLOCK - 1] >= 0xC0 {
            BLOCK - 1
        } else if block[BLOCK - 2] >= 0xE0 {
            BLOCK - 2
        } else {
            BLOCK
        }
    }

    /// Septets become pairs of 14 bits, fours of 28 and eights of 56, which then move together.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,bmi2,popcnt")]
    fn pack_gsm7(rest: &[u8], packer: &mut Packer, out: &mut Vec<u8>) -> usize {
        let mut at = 0;
        while at < rest.len() {
            let (input, there) = load(&rest[at..]);
            let codes = _mm512_permutex2var_epi8(table(&LOW_FIRST), input, table(&LOW_SECOND));
            // A code of bit 7 is none, or an escape pair.
            let other = (_mm512_movepi8_mask(codes) | _mm512_movepi8_mask(input)) & there;
            let plain = there & before(other);
            if plain == 0 {
                break;
            }
            let septets = _mm512_maskz_mov_epi8(plain, codes);
            let pairs = _mm512_maddubs_epi16(_mm512_set1_epi16(0x8001_u16 as i16), septets);
            let fours = _mm512_madd_epi16(pairs, _mm512_set1_epi32(0x4000_0001));
            let upper = _mm512_slli_epi64::<28>(_mm512_srli_epi64::<32>(fours));
            let eights = _mm512_or_si512(_mm512_and_si512(fours, _mm512_set1_epi64(0xFFFF_FFFF)), upper);
            // Behind the bits held: what that pushes into the eighth octet of a lane belongs to the first of the next.
            let moved = _mm512_sll_epi64(eights, _mm_cvtsi32_si128(packer.held_bits as i32));
            let own = _mm512_maskz_permutexvar_epi8(OWN, table(&OWN_FROM), moved);
            let pushed = _mm512_maskz_permutexvar_epi8(PUSHED, table(&PUSHED_FROM), moved);
            let held = _mm512_zextsi128_si512(_mm_cvtsi32_si128(packer.held as i32));
            let octets = _mm512_or_si512(_mm512_or_si512(own, pushed), held);

            let count = if other == 0 && there == u64::MAX { BLOCK } else { plain.count_ones() as usize };
            let bits = packer.held_bits + 7 * count;
            append([octets, _mm512_setzero_si512()], bits / 8, out);
            at += count;
            // The bits that fill no octet are the last of the last septet.
            packer.held_bits = bits % 8;
            packer.held = u64::from(LOW[usize::from(rest[at - 1])]) >> (7 - packer.held_bits);
            if count < BLOCK {
                break;
            }
        }
        at
    }

    /// The octets at the beginning of `rest`, zero beyond its end, and which places they have.
    #[target_feature(enable = "avx512f,avx512bw")]
    fn load(rest: &[u8]) -> (__m512i, u64) {
        let there = u64::MAX.checked_shr((BLOCK - rest.len().min(BLOCK)) as u32).unwrap_or(0);
        // SAFETY: the mask has no place that `rest` does not have, and an octet without a place is not read.
        (unsafe { _mm512_maskz_loadu_epi8(there, rest.as_ptr().cast()) }, there)
    }

    /// For each of these places of `rest` the octet that stands so many before it, zero for others.
    #[target_feature(enable = "avx512f,avx512bw")]
    fn earlier<const DISTANCE: usize>(rest: &[u8], places: u64) -> __m512i {
        let inside = places >> DISTANCE << DISTANCE;
        // SAFETY: a place is a place of `rest` and has as many before it, so what is read lies in `rest`; nothing else is read.
        unsafe { _mm512_maskz_loadu_epi8(inside, rest.as_ptr().wrapping_sub(DISTANCE).cast()) }
    }

    /// A constant as a vector.
    #[target_feature(enable = "avx512f")]
    fn table(octets: &[u8; BLOCK]) -> __m512i {
        // SAFETY: `octets` is 64 octets that may be read, and the load asks for no alignment.
        unsafe { _mm512_loadu_si512(octets.as_ptr().cast()) }
    }

    /// Appends the first `length` octets of two vectors, at most 128.
    #[target_feature(enable = "avx512f")]
    fn append(octets: [__m512i; 2], length: usize, out: &mut Vec<u8>) {
        assert!(length <= 2 * BLOCK, "two vectors hold no more");
        out.reserve(2 * BLOCK);
        let end: *mut u8 = out.spare_capacity_mut().as_mut_ptr().cast();
        // SAFETY: the spare room has at least 128 octets. All of them are written before the length says that the first `length`
        // of them, at most 128, are there.
        unsafe {
            _mm512_storeu_si512(end.cast(), octets[0]);
            _mm512_storeu_si512(end.add(BLOCK).cast(), octets[1]);
            out.set_len(out.len() + length);
        }
    }

    /// All places before the lowest of `places`; all if there is none.
    fn before(places: u64) -> u64 {
        if places == 0 { u64::MAX } else { (places & places.wrapping_neg()) - 1 }
    }

    /// Takes octets in turn from the first vector and from the second, beginning at `start`.
    const fn in_turn(start: usize) -> [u8; BLOCK] {
        let mut from = [0; BLOCK];
        let mut at = 0;
        while at < BLOCK {
            from[at] = (start + at / 2 + BLOCK * (at % 2)) as u8;
            at += 1;
        }
        from
    }

    const IN_TURN: [u8; BLOCK] = in_turn(0);
    const IN_TURN_LATER: [u8; BLOCK] = in_turn(BLOCK / 2);

    /// 64 codes of ASCII.
    const fn low(start: usize) -> [u8; BLOCK] {
        let mut codes = [0; BLOCK];
        let mut at = 0;
        while at < BLOCK {
            codes[at] = LOW[start + at];
            at += 1;
        }
        codes
    }

    const LOW_FIRST: [u8; BLOCK] = low(0);
    const LOW_SECOND: [u8; BLOCK] = low(BLOCK);

    /// The first seven octets of each lane, one lane after the other.
    const OWN: u64 = (1 << 56) - 1;
    const OWN_FROM: [u8; BLOCK] = {
        let mut from = [0; BLOCK];
        let mut at = 0;
        while at < 56 {
            from[at] = (at / 7 * 8 + at % 7) as u8;
            at += 1;
        }
        from
    };

    /// The eighth octet of each lane, where the first octet of the next lane goes.
    const PUSHED: u64 = 0x0102_0408_1020_4080;
    const PUSHED_FROM: [u8; BLOCK] = {
        let mut from = [0; BLOCK];
        let mut at = 7;
        while at < 57 {
            from[at] = (at / 7 * 8 - 1) as u8;
            at += 7;
        }
        from
    };
}
