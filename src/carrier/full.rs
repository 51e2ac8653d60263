//! Destinations whose queue at the carrier is full. The first ESME_RMSGQFUL is taken for throttling; a second one for the same number
//! says that it is about this number (quirk Q69).

/// So many destinations are remembered; then the oldest is forgotten.
const REMEMBERED_MAX: usize = 16;

/// The octets of an address as a number: all of them, because an international number has at most 15.
pub fn number(addr: &[u8]) -> u128 {
    addr.iter().fold(0, |sum, octet| sum << 8 | u128::from(*octet))
}

/// The destinations that were answered so last.
#[derive(Debug, Default)]
pub struct FullQueues {
    numbers: [u128; REMEMBERED_MAX],
    known: usize,
    next: usize,
}

impl FullQueues {
    /// Notes that the queue of this destination is full, and says whether it was before.
    pub fn is_full(&mut self, number: u128) -> bool {
        if self.numbers[..self.known].contains(&number) {
            return true;
        }
        self.numbers[self.next] = number;
        self.next = (self.next + 1) % REMEMBERED_MAX;
        self.known = (self.known + 1).min(REMEMBERED_MAX);
        false
    }

    /// The carrier has taken something for this destination.
    pub fn taken(&mut self, number: u128) {
        if self.known > 0 {
            self.numbers[..self.known].iter_mut().filter(|known| **known == number).for_each(|known| *known = 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_full_from_the_second_time_until_something_is_taken() {
        let mut queues = FullQueues::default();
        let (one, two) = (number(b"447700900123"), number(b"447700900124"));
        assert_ne!(one, two);
        assert_eq!([queues.is_full(one), queues.is_full(two), queues.is_full(one)], [false, false, true]);
        queues.taken(one);
        assert_eq!([queues.is_full(one), queues.is_full(two)], [false, true]);
        for other in 1..=16 {
            assert!(!queues.is_full(other));
        }
        assert!(!queues.is_full(two), "long ago");
    }
}
