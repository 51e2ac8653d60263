//! The buffers between the I/O threads and the core: one inbox of commands, one mailbox of effects for each link.
