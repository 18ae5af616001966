"""What writes in the approval queue. Each verb opens its transaction, takes its action's row lock, writes, appends to the audit
chain last (its head is the lock that all share), and tells the live topics once committed."""
