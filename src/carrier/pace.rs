//! How fast a bind goes after its carrier has asked it to slow down: a pause that doubles, one probe, then half the former rate, growing.
//!
//! Quirk Q68: ESME_RTHROTTLED means "not accepted, come again slower". Time is an argument.

use std::time::Duration;

/// How far a bind may run ahead of its rate, so that parts still leave in batches.
const AHEAD: Duration = Duration::from_millis(20);
const SECOND: Duration = Duration::from_secs(1);
/// The rate grows by one of so many parts of the rate at which the carrier complained, each second: the rate that was too much is
/// reached again after four.
const GROWTH_STEPS: u32 = 8;

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
    /// Parts sent in the running second and in the one before it.
    second: Duration,
    sent: u32,
    sent_before: u32,
    /// The rate, parts a second, at which the carrier last complained.
    complained_at: u32,
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
            sent: 0,
            sent_before: 0,
            complained_at: 0,
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
        let turn = match &mut self.mode {
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
        };
        if turn == Turn::Go {
            self.count(now);
        }
        turn
    }

    /// The carrier has refused a part for being too many. Says whether a pause begins with this.
    pub fn throttled(&mut self, now: Duration) -> bool {
        match self.mode {
            Mode::Paused { .. } => return false,
            Mode::Probing { .. } => {}
            Mode::Free | Mode::Paced { .. } => {
                let running = if now < self.second + 2 * SECOND { self.sent.max(self.sent_before) } else { 0 };
                self.complained_at = match self.mode {
                    Mode::Paced { interval, .. } => rate_of(interval).min(running.max(1)),
                    _ => running.max(1),
                };
            }
        }
        self.mode = Mode::Paused { until: now + self.pause_next };
        self.pause_next = (self.pause_next * 2).min(self.pause_max);
        true
    }

    /// The carrier has taken a part, or refused it for what it is: the probe has passed.
    pub fn answered(&mut self, now: Duration) {
        if matches!(self.mode, Mode::Probing { .. }) {
            self.pause_next = self.pause_first;
            let interval = interval_of(self.complained_at / 2);
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
                let rate = rate_of(*interval) + (self.complained_at / GROWTH_STEPS).max(1);
                *grown_at = now;
                *interval = interval_of(rate);
                if rate > self.complained_at.saturating_mul(2) {
                    self.mode = Mode::Free;
                }
                false
            }
            _ => false,
        }
    }

    fn count(&mut self, now: Duration) {
        if now >= self.second + SECOND {
            self.sent_before = if now < self.second + 2 * SECOND { self.sent } else { 0 };
            self.sent = 0;
            self.second = now;
        }
        self.sent += 1;
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
    fn half_the_rate_then_more_each_second_then_free() {
        let mut pace = Pace::new(FIRST, FIRST);
        let start = millis(5_000);
        for n in 0..1_000 {
            assert_eq!(pace.turn(start + Duration::from_micros(n * 900)), Turn::Go);
        }
        let now = start + millis(900);
        pace.throttled(now);
        pace.tick(now + FIRST);
        assert_eq!(pace.turn(now + FIRST), Turn::Go);
        pace.answered(now + FIRST);
        let mut second = now + FIRST;
        let mut rates = Vec::new();
        while pace.is_slowed() {
            let sent = (0..1_000).filter(|n| pace.turn(second + millis(*n)) == Turn::Go).count();
            rates.push(sent);
            second += FIRST;
            pace.tick(second);
        }
        assert!((480..=530).contains(&rates[0]), "half of 1,000: {}", rates[0]);
        assert!((605..=655).contains(&rates[1]), "and 125 more: {}", rates[1]);
        assert_eq!(rates.len(), 13, "free again at twice the rate that was too much");
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
