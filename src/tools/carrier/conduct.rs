//! What the simulator does about a submit: the dice, the limit on its rate, the count to the next hang-up.

use std::time::Duration;

use crate::smpp::fields::MessageState;
use crate::smpp::status::CommandStatus;
use crate::tools::carrier::Args;
use crate::tools::quantity::Chance;

/// What becomes of one submit_sm.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// It is taken.
    Accept(Acceptance),
    /// It is refused with this status.
    Refuse(CommandStatus),
    /// The connection is dropped.
    Disconnect,
}

/// How an accepted message goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Acceptance {
    /// The response is never sent.
    pub(crate) response_lost: bool,
    /// The state that its receipt tells.
    pub(crate) state: MessageState,
    /// Times that the receipt is sent.
    pub(crate) receipts: u8,
    /// The receipt goes before the response.
    pub(crate) receipt_first: bool,
}

/// Decides by seed, by rate and by count. The same submits in the same order get the same verdicts.
#[derive(Debug)]
pub(crate) struct Conduct {
    random: u64,
    lose_response: Chance,
    throttle: Chance,
    queue_full: Chance,
    reject: Chance,
    reject_status: CommandStatus,
    undeliverable: Chance,
    duplicate_receipts: Chance,
    receipt_before_response: Chance,
    disconnect_every: Option<u64>,
    until_disconnect: u64,
    interval: Option<Duration>,
    /// The earliest time at which the next submit keeps to the rate.
    free_at: Duration,
}

/// So much of a second may be used up in one burst before the rate is held against a sender.
const BURST: Duration = Duration::from_millis(100);

impl Conduct {
    pub(crate) fn new(args: &Args) -> Conduct {
        Conduct {
            random: args.seed,
            lose_response: args.lose_response,
            throttle: args.throttle,
            queue_full: args.queue_full,
            reject: args.reject,
            reject_status: CommandStatus(args.reject_status),
            undeliverable: args.undeliverable,
            duplicate_receipts: args.duplicate_receipts,
            receipt_before_response: args.receipt_before_response,
            disconnect_every: args.disconnect_every,
            until_disconnect: args.disconnect_every.unwrap_or(0),
            interval: args.rate.map(|rate| rate.interval()),
            free_at: Duration::ZERO,
        }
    }

    /// Decides about the next submit.
    pub(crate) fn judge(&mut self, now: Duration) -> Verdict {
        if let Some(every) = self.disconnect_every {
            self.until_disconnect -= 1;
            if self.until_disconnect == 0 {
                self.until_disconnect = every;
                return Verdict::Disconnect;
            }
        }
        if self.draw(self.throttle) || !self.keeps_rate(now) {
            return Verdict::Refuse(CommandStatus::RTHROTTLED);
        }
        if self.draw(self.queue_full) {
            return Verdict::Refuse(CommandStatus::RMSGQFUL);
        }
        if self.draw(self.reject) {
            return Verdict::Refuse(self.reject_status);
        }
        let undeliverable = self.draw(self.undeliverable);
        Verdict::Accept(Acceptance {
            response_lost: self.draw(self.lose_response),
            state: if undeliverable { MessageState::Undeliverable } else { MessageState::Delivered },
            receipts: 1 + u8::from(self.draw(self.duplicate_receipts)),
            receipt_first: self.draw(self.receipt_before_response),
        })
    }

    /// The theoretical arrival time of a generic cell rate algorithm, with a burst of a tenth of a second.
    fn keeps_rate(&mut self, now: Duration) -> bool {
        let Some(interval) = self.interval else { return true };
        if self.free_at > now + BURST {
            return false;
        }
        self.free_at = self.free_at.max(now) + interval;
        true
    }

    /// Throws a die only where there is a chance, so that one option does not change what another one does.
    fn draw(&mut self, chance: Chance) -> bool {
        chance != Chance::NEVER && chance.hit(next_random(&mut self.random))
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): 64 bits that pass for random, from a state of 64 bits.
pub(crate) fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
