import { Construct } from 'constructs';
import { AlarmTopics, type Listeners } from './alarm-topics.ts';
import type { Storage } from './storage.ts';
import { Watchdog } from './watchdog.ts';

export interface WatchProps {
  readonly storage: Storage;
  readonly listeners: Listeners;
}

/** What sees that the backups of a network are made and good, and who is told when they are not. */
export class Watch extends Construct {
  readonly watchdog: Watchdog;
  readonly topics: AlarmTopics;

  constructor(scope: Construct, id: string, { storage, listeners }: WatchProps) {
    super(scope, id);
    this.watchdog = new Watchdog(this, storage);
    this.topics = new AlarmTopics(this, 'Topics', listeners);
  }
}
