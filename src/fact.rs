//! What happened, and how it is laid out in a record.
