/** Was Nutzern gesagt wird, auf Deutsch. A second language in full: its type is the proof that nothing is missing. */
import { germanSite } from './german-site.ts';
import type { TextSet } from './message-texts.ts';

export const german: TextSet = {
  name: 'Deutsch',
  kinds: {
    availability: 'Anfragen an das Modell schlagen fehl. Über die Güte der Antworten sagt das nichts.',
    latency: 'Das Modell antwortet, aber langsamer als sonst. Was es antwortet, ist nicht betroffen.',
    capacity: 'Es ist nicht genug Platz für alle Anfragen. Was beantwortet wird, ist nicht betroffen.',
    quality: 'Antworten sind vielleicht weniger gut als sonst.',
    safety: 'Antworten sind vielleicht nicht ohne Prüfung verwendbar.',
    data_handling: 'Daten wurden vielleicht anders behandelt als vereinbart.',
    deprecation: 'Ein Modell wird von seinem Hersteller eingestellt.',
    own_change: 'Eine Änderung von uns ist die Ursache.',
  },
  titles: {
    availability: 'erhöhte Fehlerrate',
    latency: 'langsame Antworten',
    capacity: 'zu wenig Platz',
    quality: 'Antworten vielleicht schlechter als sonst',
    safety: 'Antworten vielleicht nicht sicher',
    data_handling: 'Daten vielleicht anders behandelt als vereinbart',
    deprecation: 'vom Hersteller eingestellt',
    own_change: 'Fehler seit einer Änderung von uns',
  },
  causes: {
    availability: {
      body: 'Anfragen an {models} schlagen fehl. Das ist ein technischer Fehler; über die Güte der Antworten sagt er nichts.',
      desk: 'Es ist ein technischer Fehler beim Anbieter des Modells oder auf dem Weg dorthin. Sagen Sie nicht, die Antworten seien schlechter geworden.',
    },
    latency: {
      body: 'Antworten von {models} dauern länger als sonst. Ihr Inhalt ist nicht betroffen.',
      desk: 'Antworten kommen spät, aber es sind die üblichen. Noch einmal zu senden macht es für alle langsamer.',
    },
    capacity: {
      body: 'Für Anfragen an {models} ist nicht genug Platz. Was beantwortet wird, ist so gut wie sonst.',
      desk: 'Zu viele Anfragen treffen auf zu wenig Platz. In einigen Minuten klappt es oft.',
    },
    quality: {
      body: 'Antworten von {models} sind vielleicht schlechter als sonst. Bitte prüfen Sie wichtige.',
      desk: 'Hier geht es um die Antworten selbst. Bitten Sie um Beispiele mit Uhrzeit und geben Sie sie weiter.',
    },
    safety: {
      body: 'Antworten von {models} enthalten vielleicht, was sie nicht enthalten sollen. Bitte verwenden Sie sie nicht ungeprüft.',
      desk: 'Bitten Sie darum, die Antwort aufzuheben und nicht weiterzugeben. Notieren Sie die Uhrzeit und melden Sie es sofort.',
    },
    data_handling: {
      body: 'Daten an {models} wurden vielleicht anders behandelt als vereinbart. Wir finden heraus, welche.',
      desk: 'Raten Sie nicht, wessen Daten es sind. Notieren Sie, wer fragt; sie erfahren es, sobald es bekannt ist.',
    },
    deprecation: {
      body: 'Vom Hersteller eingestellt: {models}.',
      desk: 'Nichts ist kaputt: ein Modell kommt an sein Ende. Weisen Sie auf den Nachfolger hin.',
    },
    own_change: {
      body: 'Eine Änderung von uns verursacht Fehler. Wir nehmen sie zurück.',
      desk: 'Der Fehler liegt bei uns, nicht beim Modell. Sagen Sie das.',
    },
  },
  stages: {
    investigating: {
      title: '{features}: einige Anfragen schlagen fehl',
      body: 'Wir untersuchen es. Wenn eine Anfrage fehlschlägt, versuchen Sie es bitte in einigen Minuten noch einmal.',
      desk: 'Sagen Sie keine Zeit zu. Nutzer müssen an ihren Einstellungen nichts ändern.',
    },
    backup: {
      title: '{features}: arbeitet mit einem Ersatzmodell',
      body: 'Bis es vorbei ist, antwortet auf Anfragen: {backups}. Sie müssen nichts tun; Antworten können anders formuliert sein.',
      desk: 'Es geht, mit einem anderen Modell. Wenn eine Antwort ungewohnt aussieht, liegt es daran.',
    },
    paused: {
      title: '{features}: von uns angehalten',
      body: 'Wir haben es angehalten, damit niemand auf Antworten wartet, die fehlschlagen. Es kommt von selbst zurück.',
      desk: 'Das Anhalten ist unsere Entscheidung und schützt Nutzer. Bei ihnen gibt es nichts zu richten.',
    },
    restoring: {
      title: '{features}: kommt zurück',
      body: 'Es geht wieder, und wir holen es schrittweise zurück. Einige Anfragen nehmen noch den anderen Weg.',
      desk: 'Fast vorbei. Eine Weile begegnet Nutzern das übliche und das Ersatzmodell.',
    },
    resolved: {
      title: '{features}: arbeitet wieder normal',
      body: 'Es ist vorbei, wieder auf dem üblichen Weg seit {normal_at}. Sie müssen nichts tun.',
      desk: 'Es ist vorbei. Wer noch Schwierigkeiten hat, hat andere: legen Sie einen neuen Fall an.',
    },
  },
  pairs: {
    'latency.investigating': {
      title: '{features}: langsamer als sonst',
      body: 'Antworten von {models} dauern länger als sonst. Ihr Inhalt ist nicht betroffen. Wir untersuchen es; bitte senden Sie eine Anfrage nicht zweimal.',
    },
    'quality.investigating': { title: '{features}: Antworten vielleicht schlechter als sonst' },
    'quality.resolved': {
      body: 'Antworten von {models} sind wieder wie üblich, auf dem üblichen Weg seit {normal_at}.',
    },
    'availability.resolved': {
      body: 'Anfragen an {models} schlugen fehl; das war ein technischer Fehler und sagte nichts über die Güte der Antworten. Es ist vorbei, wieder auf dem üblichen Weg seit {normal_at}.',
    },
    'latency.resolved': {
      body: 'Antworten von {models} kommen wieder so schnell wie üblich, auf dem üblichen Weg seit {normal_at}.',
    },
    'capacity.resolved': {
      body: 'Es ist wieder Platz für alle Anfragen, auf dem üblichen Weg seit {normal_at}.',
    },
    'own_change.resolved': {
      body: 'Eine Änderung von uns verursachte Fehler. Sie ist zurückgenommen, wieder auf dem üblichen Weg seit {normal_at}.',
    },
  },
  states: {
    normal: 'arbeitet normal',
    backup: 'arbeitet mit einem Ersatzmodell',
    slow: 'langsamer als sonst',
    partial: 'einige Anfragen schlagen fehl',
    paused: 'von uns angehalten',
    unavailable: 'nicht verfügbar',
  },
  data: {
    left: 'Einige Inhalte wurden von einem anderen Unternehmen verarbeitet: {companies}.',
    stayed: 'Deswegen ging kein Inhalt an ein anderes Unternehmen.',
    unknown: 'Ob Inhalte an ein anderes Unternehmen gingen, wird gerade festgestellt.',
  },
  nextUpdate: 'Wir melden uns wieder bis {next_update_at}.',
  again: 'Seit unserer letzten Mitteilung hat sich nichts geändert.',
  and: 'und',
  at: 'bei {hosts}',
  unnamed: {
    model: 'das Modell',
    time: 'einem noch unbekannten Zeitpunkt',
    sameModel: 'dasselbe Modell bei einem anderen Anbieter',
  },
  decimal: ',',
  site: germanSite,
};
