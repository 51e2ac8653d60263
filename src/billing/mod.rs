//! What a part costs, and who has paid for it.
