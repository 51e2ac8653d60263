//! Requests of ours that await a response: a slab indexed by sequence number, with a list through it in the order of
//! sending. Taking, settling and expiring a place cost the same at any size; nothing is hashed or allocated.

use core::time::Duration;

use crate::smpp::command::CommandId;

/// The largest sequence number of ours; after it comes 1 (SMPP 3.4 section 3.2).
pub const SEQUENCE_MAX: u32 = 0x7FFF_FFFF;

/// The largest window, so that a slab is at most some megabytes.
pub const WINDOW_MAX: u32 = 65_536;

/// What a large window is at first.
const PLACES_FIRST: u32 = 8;

/// No place: ends the list.
const NONE: u32 = u32::MAX;

const FREE: Place = Place { request: None, older: NONE, newer: NONE };

/// A request that awaits its response.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outstanding {
    /// Its sequence number.
    pub sequence: u32,
    /// What the caller wants to be told back.
    pub token: u32,
    /// What was asked.
    pub command: CommandId,
    /// When it was sent.
    pub sent_at: Duration,
}

#[derive(Clone, Copy)]
struct Place {
    /// None: free.
    request: Option<Outstanding>,
    older: u32,
    newer: u32,
}

/// The window of one session.
pub struct Window {
    places: Box<[Place]>,
    next_sequence: u32,
    oldest: u32,
    newest: u32,
    taken: u32,
    taken_max: u32,
}

impl Window {
    /// A window of `taken_max` requests, 1 to [`WINDOW_MAX`]; other sizes are brought into that range.
    pub fn new(taken_max: u32) -> Window {
        let taken_max = taken_max.clamp(1, WINDOW_MAX);
        // Twice the window, so that a free place is near even while one slow request is outstanding. A large window starts
        // smaller and doubles as it is used: most links never are.
        let places = taken_max.next_power_of_two().min(PLACES_FIRST) * 2;
        Window {
            places: vec![FREE; places as usize].into_boxed_slice(),
            next_sequence: 1,
            oldest: NONE,
            newest: NONE,
            taken: 0,
            taken_max,
        }
    }

    /// Goes on with this sequence number, 1 to [`SEQUENCE_MAX`], or the next that no outstanding request has.
    pub fn continue_at(&mut self, sequence: u32) {
        self.next_sequence = sequence.clamp(1, SEQUENCE_MAX);
    }

    /// A sequence number that no outstanding request has, for a request that takes no place.
    pub fn next_sequence(&mut self) -> u32 {
        // Fewer places are taken than there are, so this ends within one round.
        loop {
            let sequence = self.next_sequence;
            self.next_sequence = if sequence >= SEQUENCE_MAX { 1 } else { sequence + 1 };
            if self.places[self.index(sequence)].request.is_none() {
                return sequence;
            }
        }
    }

    /// Takes a place; None: the window is full.
    pub fn take(&mut self, now: Duration, command: CommandId, token: u32) -> Option<u32> {
        if self.taken >= self.taken_max {
            return None;
        }
        if self.taken as usize * 2 >= self.places.len() {
            self.grow();
        }
        let sequence = self.next_sequence();
        self.put(Outstanding { sequence, token, command, sent_at: now });
        Some(sequence)
    }

    /// Doubles the places. The requests keep their numbers and their order.
    fn grow(&mut self) {
        let mut next = self.oldest;
        let bigger = vec![FREE; self.places.len() * 2].into_boxed_slice();
        let places = core::mem::replace(&mut self.places, bigger);
        (self.oldest, self.newest, self.taken) = (NONE, NONE, 0);
        while let Some(Place { request: Some(request), newer, .. }) = places.get(next as usize) {
            self.put(*request);
            next = *newer;
        }
    }

    /// Takes the free place of a request's number, as the newest.
    fn put(&mut self, request: Outstanding) {
        let index = self.index(request.sequence);
        let request = Some(request);
        self.places[index] = Place { request, older: self.newest, newer: NONE };
        let index = index as u32;
        match self.newest {
            NONE => self.oldest = index,
            newest => self.places[newest as usize].newer = index,
        }
        self.newest = index;
        self.taken += 1;
    }

    /// The outstanding request with this sequence number.
    pub fn get(&self, sequence: u32) -> Option<Outstanding> {
        self.places[self.index(sequence)].request.filter(|request| request.sequence == sequence)
    }

    /// Frees the place of an outstanding request, in whatever order the responses come.
    pub fn settle(&mut self, sequence: u32) -> Option<Outstanding> {
        let request = self.get(sequence)?;
        let index = self.index(sequence);
        let Place { older, newer, .. } = self.places[index];
        self.places[index].request = None;
        match older {
            NONE => self.oldest = newer,
            older => self.places[older as usize].newer = newer,
        }
        match newer {
            NONE => self.newest = older,
            newer => self.places[newer as usize].older = older,
        }
        self.taken -= 1;
        Some(request)
    }

    /// The request that has waited longest.
    pub fn oldest(&self) -> Option<Outstanding> {
        match self.oldest {
            NONE => None,
            oldest => self.places[oldest as usize].request,
        }
    }

    /// How many requests are outstanding.
    pub fn outstanding(&self) -> u32 {
        self.taken
    }

    /// How many more may be sent now.
    pub fn free(&self) -> u32 {
        self.taken_max - self.taken
    }

    fn index(&self, sequence: u32) -> usize {
        sequence as usize & (self.places.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use crate::smpp::command::CommandId;
    use crate::smpp::window::{SEQUENCE_MAX, Window};

    const AT: Duration = Duration::from_secs(1);

    #[test]
    fn sequence_numbers_wrap_and_skip_outstanding_ones() {
        let mut window = Window::new(2);
        assert_eq!(window.take(AT, CommandId::SUBMIT_SM, 7), Some(1));
        window.next_sequence = SEQUENCE_MAX;
        assert_eq!(window.next_sequence(), SEQUENCE_MAX);
        assert_eq!(window.take(AT, CommandId::SUBMIT_SM, 8), Some(2), "1 is outstanding and 0 is never used");
        assert_eq!(window.take(AT, CommandId::SUBMIT_SM, 9), None);
        assert_eq!(window.settle(1).map(|request| request.token), Some(7));
    }

    #[test]
    fn any_order_of_responses_leaves_the_order_of_sending() {
        let mut window = Window::new(5);
        let sequences: Vec<u32> =
            (0..5).map(|token| window.take(AT, CommandId::SUBMIT_SM, token).expect("a free place")).collect();
        for at in [2, 0, 4] {
            assert!(window.settle(sequences[at]).is_some());
            assert!(window.settle(sequences[at]).is_none(), "a second response finds nothing");
        }
        let mut left = Vec::new();
        while let Some(request) = window.oldest() {
            left.push(request.token);
            window.settle(request.sequence);
        }
        assert_eq!(left, [1, 3]);
        assert_eq!((window.outstanding(), window.free()), (0, 5));
    }

    #[test]
    fn a_window_grows_and_keeps_what_is_outstanding() {
        let mut window = Window::new(1_000);
        assert_eq!(window.places.len(), 16);
        window.next_sequence = SEQUENCE_MAX - 300;
        let sequences: Vec<u32> =
            (0..1_000).map(|token| window.take(AT, CommandId::SUBMIT_SM, token).expect("a free place")).collect();
        assert_eq!((window.places.len(), window.free(), window.take(AT, CommandId::SUBMIT_SM, 0)), (2_048, 0, None));
        for (token, sequence) in (0..).zip(&sequences) {
            assert_eq!(window.oldest().map(|request| request.token), Some(token));
            assert_eq!(window.settle(*sequence).map(|request| request.token), Some(token));
        }
        assert_eq!(window.outstanding(), 0);
    }

    #[test]
    fn one_stuck_request_does_not_stop_the_others() {
        let mut window = Window::new(3);
        let stuck = window.take(AT, CommandId::SUBMIT_SM, 99).expect("a free place");
        for token in 0..10_000 {
            let sequence = window.take(AT, CommandId::SUBMIT_SM, token).expect("a free place");
            assert_ne!(sequence, stuck);
            assert_eq!(window.settle(sequence).map(|request| request.token), Some(token));
        }
        assert_eq!(window.oldest().map(|request| request.token), Some(99));
    }
}
