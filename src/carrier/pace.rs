//! How fast a bind goes after its carrier has asked it to slow down: a pause, one probe, then a little less than what the carrier took
//! in a second, growing. The pause doubles while probes are refused.
//!
//! Quirk Q68: ESME_RTHROTTLED means "not accepted, come again slower". A refusal now and then is no reason to: at the edge of what a
//! carrier takes there always are some. Time is an argument.

use std::time::Duration;

/// How far a bind may run ahead of its rate, so that parts still leave in batches.
const AHEAD: Duration = Duration::from_millis(20);
const SECOND: Duration = Duration::from_secs(1);
/// What the carrier took in a second, less one of so many parts, is the rate to go on with.
const BACK_STEPS: u32 = 10;
/// Each second the rate grows by one of so many parts of itself, so that a first guess that was far too low is soon made up for.
const GROWTH_STEPS: u32 = 16;
/// As slowly it grows about where the carrier complained last: it will complain there again.
const CAREFUL_GROWTH_STEPS: u32 = 64;
/// That is: no farther from it than one of so many parts.
const CAREFUL_STEPS: u32 = 20;
/// What was taken in less time than this says little about a second.
const MEASURED_MIN: Duration = Duration::from_millis(50);
/// One refusal in so many answers is light: the part comes again, the bind goes on.
const LIGHT_ONE_IN: u32 = 40;
/// Fewer answers than this say nothing about how many are refused.
const ANSWERS_MIN: u32 = 30;

/// What to do with a part that is to be submitted now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// Submit it.
    Go,
    /// Keep it; its turn comes.
    Wait,
    /// Give it back: nothing leaves this bind for a while.
    GiveBack,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    Free,
    Paused { until: Duration },
    Probing { sent: bool },
    Paced { interval: Duration, due: Duration, grown_at: Duration },
}

/// The pace of one bind.
#[derive(Debug)]
pub struct Pace {
    mode: Mode,
    pause_first: Duration,
    pause_max: Duration,
    pause_next: Duration,
    /// When the running second began.
    second: Duration,
    /// Answers in the running second and in the one before it.
    running: Answers,
    before: Answers,
    /// Parts a second that the carrier took when it last complained.
    capacity: u32,
}

/// How parts were answered in one second.
#[derive(Clone, Copy, Default, Debug)]
struct Answers {
    taken: u32,
    throttled: u32,
}

impl Pace {
    /// A bind that goes as fast as it can until the carrier complains; then it pauses for `pause_first`, doubled up to `pause_max`.
    pub fn new(pause_first: Duration, pause_max: Duration) -> Pace {
        Pace {
            mode: Mode::Free,
            pause_first,
            pause_max,
            pause_next: pause_first,
            second: Duration::ZERO,
            running: Answers::default(),
            before: Answers::default(),
            capacity: 0,
        }
    }

    /// Whether nothing may leave at present.
    pub fn is_paused(&self) -> bool {
        matches!(self.mode, Mode::Paused { .. })
    }

    /// Whether the bind goes slower than it could.
    pub fn is_slowed(&self) -> bool {
        self.mode != Mode::Free
    }

    /// Asks for a turn; [`Turn::Go`] uses it up.
    pub fn turn(&mut self, now: Duration) -> Turn {
        match &mut self.mode {
            Mode::Free => Turn::Go,
            Mode::Paused { .. } => Turn::GiveBack,
            Mode::Probing { sent: true } => Turn::Wait,
            Mode::Probing { sent } => {
                *sent = true;
                Turn::Go
            }
            Mode::Paced { due, .. } if *due > now + AHEAD => Turn::Wait,
            Mode::Paced { due, interval, .. } => {
                *due = (*due).max(now) + *interval;
                Turn::Go
            }
        }
    }

    /// The carrier has refused a part for being too many. Says whether a pause begins with this.
    pub fn throttled(&mut self, now: Duration) -> bool {
        self.count(now).throttled += 1;
        match self.mode {
            Mode::Paused { .. } => return false,
            Mode::Free | Mode::Paced { .. } if self.is_light() => return false,
            Mode::Probing { .. } => {}
            Mode::Free | Mode::Paced { .. } => self.capacity = self.measured(now),
        }
        self.mode = Mode::Paused { until: now + self.pause_next };
        self.pause_next = (self.pause_next * 2).min(self.pause_max);
        true
    }

    /// Parts a second that the carrier takes, by what it took since the running second began, or in the one before.
    fn measured(&self, now: Duration) -> u32 {
        let elapsed = now.saturating_sub(self.second).max(MEASURED_MIN);
        let running = u128::from(self.running.taken) * SECOND.as_nanos() / elapsed.as_nanos();
        u32::try_from(running).unwrap_or(u32::MAX).max(self.before.taken).max(1)
    }

    fn is_light(&self) -> bool {
        let throttled = self.running.throttled + self.before.throttled;
        let answers = self.running.taken + self.before.taken + throttled;
        answers >= ANSWERS_MIN && throttled * LIGHT_ONE_IN <= answers
    }

    /// The carrier has taken a part, or refused it for what it is: the probe has passed.
    pub fn answered(&mut self, now: Duration) {
        self.count(now).taken += 1;
        if matches!(self.mode, Mode::Probing { .. }) {
            self.pause_next = self.pause_first;
            let interval = interval_of(self.capacity - self.capacity / BACK_STEPS);
            self.mode = Mode::Paced { interval, due: now, grown_at: now };
        }
    }

    /// The probe got no answer: the next part is the probe.
    pub fn lost(&mut self) {
        if let Mode::Probing { sent } = &mut self.mode {
            *sent = false;
        }
    }

    /// When [`Pace::tick`] has something to do; `waits` says whether parts are kept here.
    pub fn next_at(&self, waits: bool) -> Option<Duration> {
        match self.mode {
            Mode::Paused { until } => Some(until),
            Mode::Paced { due, grown_at, .. } => {
                let growth = grown_at + SECOND;
                Some(if waits { growth.min(due.saturating_sub(AHEAD)) } else { growth })
            }
            Mode::Free | Mode::Probing { .. } => None,
        }
    }

    /// Ends a pause, and lets the rate grow. Says whether a pause has ended.
    pub fn tick(&mut self, now: Duration) -> bool {
        match &mut self.mode {
            Mode::Paused { until } if *until <= now => {
                self.mode = Mode::Probing { sent: false };
                true
            }
            Mode::Paced { interval, grown_at, .. } if *grown_at + SECOND <= now => {
                let rate = rate_of(*interval);
                let careful = rate.abs_diff(self.capacity) <= self.capacity / CAREFUL_STEPS;
                let rate = rate + (rate / if careful { CAREFUL_GROWTH_STEPS } else { GROWTH_STEPS }).max(1);
                *grown_at = now;
                *interval = interval_of(rate);
                if rate > self.capacity.saturating_mul(2) {
                    self.mode = Mode::Free;
                }
                false
            }
            _ => false,
        }
    }

    fn count(&mut self, now: Duration) -> &mut Answers {
        if now >= self.second + SECOND {
            self.before = if now < self.second + 2 * SECOND { self.running } else { Answers::default() };
            self.running = Answers::default();
            self.second = now;
        }
        &mut self.running
    }
}

fn interval_of(rate: u32) -> Duration {
    SECOND / rate.max(1)
}

fn rate_of(interval: Duration) -> u32 {
    u32::try_from(SECOND.as_nanos() / interval.as_nanos().max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(1);

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_pause_doubles_until_a_probe_passes() {
        let mut pace = Pace::new(FIRST, 4 * FIRST);
        let mut now = FIRST;
        assert_eq!(pace.turn(now), Turn::Go);
        for pause in [1, 2, 4, 4] {
            assert!(pace.throttled(now));
            assert!(!pace.throttled(now), "what was in flight begins no second pause");
            assert_eq!(pace.turn(now), Turn::GiveBack);
            assert_eq!(pace.next_at(true), Some(now + pause * FIRST));
            now += pause * FIRST;
            assert!(pace.tick(now));
            assert_eq!((pace.turn(now), pace.turn(now)), (Turn::Go, Turn::Wait), "one probe");
        }
        pace.answered(now);
        assert_ne!(pace.turn(now), Turn::GiveBack);
        pace.throttled(now);
        assert_eq!(pace.next_at(true), Some(now + FIRST), "a passed probe forgets the doubling");
    }

    #[test]
    fn a_little_less_than_was_taken_then_more_each_second_then_free() {
        let mut pace = Pace::new(FIRST, FIRST);
        let start = millis(5_000);
        for n in 0..1_000 {
            pace.answered(start + Duration::from_micros(n * 900));
        }
        let now = start + millis(900);
        while !pace.throttled(now) {}
        pace.tick(now + FIRST);
        assert_eq!(pace.turn(now + FIRST), Turn::Go);
        pace.answered(now + FIRST);
        let mut second = now + FIRST;
        let mut rates = Vec::new();
        while pace.is_slowed() {
            let sent = (0..2_000).filter(|n| pace.turn(second + Duration::from_micros(n * 500)) == Turn::Go).count();
            rates.push(sent);
            second += FIRST;
            pace.tick(second);
        }
        assert!((980..=1_030).contains(&rates[0]), "nine tenths of 1,111: {}", rates[0]);
        assert!((1_030..=1_100).contains(&rates[1]), "and a sixteenth more: {}", rates[1]);
        assert!((14..22).contains(&rates.len()), "free again at twice what was taken: {}", rates.len());
    }

    #[test]
    fn a_refusal_now_and_then_slows_nothing() {
        let mut pace = Pace::new(FIRST, FIRST);
        for n in 1..=10_000_u64 {
            let now = millis(n);
            assert_eq!(pace.turn(now), Turn::Go);
            if n % 50 == 0 { assert!(!pace.throttled(now)) } else { pace.answered(now) }
        }
    }

    /// A carrier that takes 500 parts a second and throttles what is more.
    #[test]
    fn a_limited_carrier_is_kept_busy() {
        let mut pace = Pace::new(millis(100), 60 * FIRST);
        let (mut taken, mut throttled, mut in_second) = ([0u32; 60], [0u32; 60], 0);
        for n in 0..60_000_u64 {
            let now = millis(n);
            if n % 1_000 == 0 {
                in_second = 0;
            }
            if pace.next_at(true).is_some_and(|at| at <= now) {
                pace.tick(now);
            }
            while pace.turn(now) == Turn::Go {
                let second = (n / 1_000) as usize;
                if in_second < 500 {
                    in_second += 1;
                    taken[second] += 1;
                    pace.answered(now);
                } else {
                    throttled[second] += 1;
                    pace.throttled(now);
                }
                if !pace.is_slowed() && throttled[second] + taken[second] > 2_000 {
                    break;
                }
            }
        }
        let late: u32 = taken[10..].iter().sum();
        let refused: u32 = throttled[10..].iter().sum();
        assert!(late >= 50 * 450, "{late} of 25,000 were taken");
        assert!(refused * 50 <= late, "{refused} were refused against {late} taken");
    }

    #[test]
    fn a_lost_probe_is_followed_by_another() {
        let mut pace = Pace::new(FIRST, FIRST);
        pace.throttled(FIRST);
        pace.tick(2 * FIRST);
        assert_eq!(pace.turn(2 * FIRST), Turn::Go);
        pace.lost();
        assert_eq!(pace.turn(3 * FIRST), Turn::Go);
    }
}
