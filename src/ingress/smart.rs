//! Smart encoding on the way in: a text is laid out as it was given, or with characters replaced if its sender asked for that
//! and it helps. Texts that come as octets over SMPP are not looked at: their answer has no room to say what was replaced.

use crate::admission::refusal::Refusal;
use crate::ingress::parts::{Layout, Parts, Source, refusal};
use crate::message::coding::Coding;
use crate::message::smart::Smart;
use crate::text::Choice;
use crate::text::replace::{Reach, better};
use crate::text::segment::plan;

impl Parts {
    /// Counts what a text takes. A replaced one stays in the buffer for [`Parts::write`].
    pub(super) fn lay_out_text(
        &mut self,
        text: &str,
        choice: Choice,
        smart: Smart,
        coding: Coding,
    ) -> Result<Layout, Refusal> {
        let (options, gsm7) = coding.options(text, choice);
        let given = plan(text, options);
        let reach_max = match smart {
            Smart::Strict => Reach::Nothing,
            Smart::Suggest => Reach::Suggested,
            Smart::Transliterate => Reach::Letters,
        };
        let better = better(text, options, &given, reach_max, &mut self.transcoded);
        match better.filter(|_| smart == Smart::Transliterate) {
            Some(better) => {
                let layout = Layout::of_text(better.plan, coding, gsm7, Source::Transcoded(better.plan));
                Ok(Layout { replaced: better.reach, options, ..layout })
            }
            None => {
                let plan = given.map_err(refusal)?;
                let layout = Layout::of_text(plan, coding, gsm7, Source::Text(plan));
                Ok(Layout { suggestion: better, options, ..layout })
            }
        }
    }
}
