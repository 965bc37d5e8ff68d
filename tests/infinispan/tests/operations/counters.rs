use hotrod_core::wire::{Body, CounterConfiguration, CounterKind, Operation, Request, RequestOptions, Status, Version};

use crate::conversation::Conversation;

pub async fn conversation(c: &Conversation) {
    if !c.has(Operation::CounterCreate) {
        return;
    }
    let options = RequestOptions::cache("org.infinispan.COUNTER");
    strong(c, &options).await;
    bounded(c, &options).await;
    weak(c, &options).await;
    events(c, &options).await;
}

type Options = hotrod_core::wire::RequestOptions;

async fn create(c: &Conversation, options: &Options, kind: CounterKind, initial_value: i64, counter: &str) {
    let configuration = CounterConfiguration { kind, persistent: false, initial_value };
    let create = Request::CounterCreate { counter: counter.into(), configuration: configuration.clone() };
    assert_eq!(c.ask_with(options, create.clone()).await.status, Status::SUCCESS);
    assert_eq!(c.ask_with(options, create).await.status, Status::NOT_EXECUTED);
    let told = c.ask_with(options, Request::CounterGetConfiguration { counter: counter.into() }).await.body;
    assert_eq!(told, Body::CounterConfiguration(configuration));
}

async fn value(c: &Conversation, options: &Options, request: Request) -> i64 {
    match c.ask_with(options, request).await.body {
        Body::CounterValue(value) => value,
        other => panic!("{other:?}"),
    }
}

/// COUNTER_IS_DEFINED answers 0x51 and COUNTER_GET_AND_SET 0x80 (gotcha 18).
async fn strong(c: &Conversation, options: &Options) {
    let counter = c.name("strong");
    let defined = |counter: String| Request::CounterIsDefined { counter };
    assert_eq!(c.ask_with(options, defined(counter.clone())).await.status, Status::NOT_EXECUTED);
    create(c, options, CounterKind::UnboundedStrong, 5, &counter).await;
    assert_eq!(c.ask_with(options, defined(counter.clone())).await.status, Status::SUCCESS);
    let add = |delta| Request::CounterAddAndGet { counter: counter.clone(), delta };
    assert_eq!(value(c, options, add(-7)).await, -2);
    let swap = |expected, update| Request::CounterCompareAndSwap { counter: counter.clone(), expected, update };
    assert_eq!(value(c, options, swap(-2, i64::MAX)).await, -2);
    assert_eq!(value(c, options, swap(-2, 1)).await, i64::MAX);
    // Servers before 15 don't know it, and at 2.9 a server does not say what it knows.
    if c.version >= Version::V3_0 && c.has(Operation::CounterGetAndSet) {
        let set = Request::CounterGetAndSet { counter: counter.clone(), value: 9 };
        assert_eq!(value(c, options, set).await, i64::MAX);
    }
    assert_eq!(c.ask_with(options, Request::CounterReset { counter: counter.clone() }).await.status, Status::SUCCESS);
    assert_eq!(value(c, options, Request::CounterGet { counter: counter.clone() }).await, 5);
    let Body::Names(names) = c.ask_with(options, Request::CounterGetNames {}).await.body else { panic!() };
    assert!(names.contains(&counter));
    assert_eq!(c.ask_with(options, Request::CounterRemove { counter }).await.status, Status::SUCCESS);
    let missing = Request::CounterGet { counter: "no such counter".into() };
    assert_eq!(c.ask_with(options, missing).await.status, Status::KEY_DOES_NOT_EXIST);
}

/// Status 0x04 says that a bound is reached, and nothing follows it.
async fn bounded(c: &Conversation, options: &Options) {
    let counter = c.name("bounded");
    create(c, options, CounterKind::BoundedStrong { lower: -1, upper: 1 }, 0, &counter).await;
    let add = |delta| Request::CounterAddAndGet { counter: counter.clone(), delta };
    assert_eq!(value(c, options, add(1)).await, 1);
    let beyond = c.ask_with(options, add(1)).await;
    assert_eq!((beyond.status, beyond.body), (Status::NOT_EXECUTED_WITH_PREVIOUS, Body::Nothing));
}

async fn weak(c: &Conversation, options: &Options) {
    let counter = c.name("weak");
    create(c, options, CounterKind::Weak { concurrency: 4 }, 0, &counter).await;
    assert_eq!(value(c, options, Request::CounterAddAndGet { counter, delta: 3 }).await, 0);
}

async fn events(c: &Conversation, options: &Options) {
    let counter = c.name("heard");
    create(c, options, CounterKind::BoundedStrong { lower: 0, upper: 10 }, 0, &counter).await;
    let listener_id = c.key("counter listener");
    let add = Request::CounterAddListener { counter: counter.clone(), listener_id: listener_id.clone() };
    assert!(!c.ask_with(options, add).await.status.is_error());
    // The event may come before the answer, or after it: the recorder takes what has come by the next request.
    assert_eq!(value(c, options, Request::CounterAddAndGet { counter: counter.clone(), delta: 3 }).await, 3);
    heard(c, 1).await;
    let remove = Request::CounterRemoveListener { counter, listener_id };
    assert!(!c.ask_with(options, remove).await.status.is_error());
}

/// Waits until the session has been given so many events.
pub async fn heard(c: &Conversation, events: u64) {
    for _ in 0..500 {
        if c.speaker.events() >= events {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{events} events expected, {} have come", c.speaker.events());
}
