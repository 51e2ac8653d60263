//! Answers find their request, in any order, after repeats, and when the client has gone.

use std::time::Duration;

use super::*;

/// What the core would see now.
fn taken(exchange: &Exchange) -> Vec<Command> {
    let mut batch = Batch::default();
    exchange.inbox.take(&mut batch, 1, Duration::ZERO, Duration::ZERO);
    batch.commands
}

fn recall(ticket: &Ticket) -> Command {
    Command::Recall { reply: ticket.reply(0), key: 1, body: 2 }
}

fn told(desk: &Desk, effects: Vec<Effect>) {
    desk.dispatch(&Outbox { effects, bytes: Vec::new() });
}

async fn soon<T>(task: tokio::task::JoinHandle<T>) -> T {
    task.await.expect("the request does not panic")
}

#[tokio::test]
async fn a_request_is_woken_by_its_last_answer() {
    let exchange = Arc::new(Exchange::default());
    let (desk, _mailbox) = Desk::open(exchange.clone());
    let ticket = desk.take();
    let tags = [ticket.reply(0).tag, ticket.reply(1).tag];
    let batch = Batch { commands: vec![recall(&ticket), recall(&ticket)], bytes: Vec::new() };
    let request = tokio::spawn(ticket.ask(batch, 2));
    tokio::task::yield_now().await;
    assert_eq!(taken(&exchange).len(), 2);
    told(&desk, vec![Effect::Accepted { tag: tags[1], id: MessageId(9) }]);
    assert!(!request.is_finished());
    told(&desk, vec![Effect::Denied { tag: tags[0], denial: Denial::Full }]);
    let answers = soon(request).await.expect("answered");
    assert_eq!(answers, [(1, Answer::Accepted(MessageId(9))), (0, Answer::Denied(Denial::Full))]);
}

#[tokio::test]
async fn a_fresh_key_posts_the_messages_and_a_known_one_does_not() {
    let exchange = Arc::new(Exchange::default());
    let (desk, _mailbox) = Desk::open(exchange.clone());
    for known in [false, true] {
        let ticket = desk.take();
        let (whole, first) = (ticket.reply(WHOLE).tag, ticket.reply(0).tag);
        let batch = Batch { commands: vec![recall(&ticket)], bytes: Vec::new() };
        let request = tokio::spawn(ticket.ask_once(batch, 1, 7, 8));
        tokio::task::yield_now().await;
        assert!(matches!(taken(&exchange)[..], [Command::Recall { key: 7, body: 8, .. }]));
        let expected = if known {
            told(&desk, vec![Effect::Repeated { tag: whole, count: 1 }]);
            told(&desk, vec![Effect::Recalled { tag: whole, index: 3, id: MessageId(5) }]);
            (3, Answer::Recalled(MessageId(5)))
        } else {
            told(&desk, vec![Effect::Fresh { tag: whole }]);
            assert_eq!(taken(&exchange).len(), 1);
            told(&desk, vec![Effect::Accepted { tag: first, id: MessageId(4) }]);
            (0, Answer::Accepted(MessageId(4)))
        };
        assert_eq!(soon(request).await, Ok(vec![expected]));
        assert!(taken(&exchange).is_empty());
    }
}

#[tokio::test]
async fn a_key_of_which_nothing_was_accepted_is_given_back() {
    let exchange = Arc::new(Exchange::default());
    let (desk, _mailbox) = Desk::open(exchange.clone());
    let ticket = desk.take();
    let (whole, first) = (ticket.reply(WHOLE).tag, ticket.reply(0).tag);
    let batch = Batch { commands: vec![recall(&ticket)], bytes: Vec::new() };
    let request = tokio::spawn(ticket.ask_once(batch, 1, 7, 8));
    tokio::task::yield_now().await;
    told(&desk, vec![Effect::Fresh { tag: whole }]);
    taken(&exchange);
    told(&desk, vec![Effect::Denied { tag: first, denial: Denial::Credit }]);
    assert_eq!(soon(request).await, Ok(vec![(0, Answer::Denied(Denial::Credit))]));
    assert_eq!(taken(&exchange), [Command::Forget { key: 7 }]);
}

#[tokio::test]
async fn an_answer_to_one_who_left_reaches_nobody_else() {
    let exchange = Arc::new(Exchange::default());
    let (desk, _mailbox) = Desk::open(exchange.clone());
    let ticket = desk.take();
    let tag = ticket.reply(0).tag;
    let batch = Batch { commands: vec![recall(&ticket)], bytes: Vec::new() };
    let gone = tokio::spawn(ticket.ask(batch, 1));
    tokio::task::yield_now().await;
    gone.abort();
    assert!(gone.await.is_err());
    // The place is still taken: the next request gets another.
    let next = desk.take();
    assert_ne!(next.reply(0).tag >> 32, tag >> 32);
    told(&desk, vec![Effect::Accepted { tag, id: MessageId(1) }]);
    // Now it is free, and used again under another generation: a second answer to the first finds nobody.
    let again = desk.take();
    assert_eq!(again.reply(0).tag >> 32, tag >> 32);
    assert_ne!(again.reply(0).tag, tag);
    told(&desk, vec![Effect::Accepted { tag, id: MessageId(1) }]);
    assert!(desk.lock().places[again.slot as usize].waiting.is_some());
}

#[tokio::test]
async fn who_waits_when_the_core_stops_is_told() {
    let exchange = Arc::new(Exchange::default());
    let (desk, _mailbox) = Desk::open(exchange.clone());
    let ticket = desk.take();
    let batch = Batch { commands: vec![recall(&ticket)], bytes: Vec::new() };
    let request = tokio::spawn(ticket.ask(batch, 1));
    tokio::task::yield_now().await;
    desk.stop();
    assert_eq!(soon(request).await, Err(Unanswered));
    let late = desk.take();
    assert_eq!(late.ask(Batch::default(), 1).await, Err(Unanswered));
}
