//! What the core is asked to do, and what it asks of others.
