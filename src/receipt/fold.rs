//! From the ends of the parts to the end of the message, and whether its sender wants to hear of it (quirks Q18 and Q20).

use crate::message::State;

/// The state of a message all of whose parts have ended: the worst of theirs (rejected, undeliverable, deleted, expired, unknown,
/// delivered). Of no parts at all nothing is known.
pub fn fold(states: impl Iterator<Item = State>) -> State {
    states.max_by_key(|state| state.severity()).unwrap_or(State::Unknown)
}

/// Whether a final state is to be reported to a sender who asked with this registered_delivery (SMPP 5.0 section 4.7.21, bits 0 and
/// 1): 0 nothing, 1 every end, 2 failures, 3 success. States that are no end are not reported; `ACCEPTD` is no success.
pub fn report_wanted(registered: u8, state: State) -> bool {
    let delivered = state == State::Delivered;
    state.is_final()
        && match registered & 3 {
            0 => false,
            1 => true,
            2 => !delivered,
            _ => delivered,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_as_its_worst_part() {
        let worst_first =
            [State::Rejected, State::Undeliverable, State::Deleted, State::Expired, State::Unknown, State::Delivered];
        for (rank, worst) in worst_first.into_iter().enumerate() {
            for other in &worst_first[rank..] {
                assert_eq!(fold([worst, *other].into_iter()), worst);
                assert_eq!(fold([*other, worst, *other].into_iter()), worst);
            }
        }
        assert_eq!(fold(std::iter::empty()), State::Unknown);
    }

    #[test]
    fn registered_delivery_is_a_matrix() {
        let ends =
            [State::Delivered, State::Expired, State::Deleted, State::Undeliverable, State::Unknown, State::Rejected];
        for state in ends {
            let delivered = state == State::Delivered;
            let wanted = [0, 1, 2, 3].map(|registered| report_wanted(registered, state));
            assert_eq!(wanted, [false, true, !delivered, delivered], "{state:?}");
            assert!(report_wanted(0x11, state), "other bits do not matter");
        }
        for state in [State::Scheduled, State::Enroute, State::Accepted] {
            assert_eq!([0, 1, 2, 3].map(|registered| report_wanted(registered, state)), [false; 4], "{state:?}");
        }
    }
}
