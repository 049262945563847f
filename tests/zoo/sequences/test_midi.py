"""MIDI files: read as rolls, written as they were read, and what cannot be read is named and counted."""

import struct

import mido
import pytest
import torch

from gan_framework.errors import ConfigError
from gan_zoo.datasets import midi_files, music
from gan_zoo.datasets.midi import Midi
from gan_zoo.datasets.midi_files import Note, as_rolls, into, read_notes
from gan_zoo.datasets.music import PianoRolls

SETTINGS = {
    **{"test_share": 0.0, "tracks": 2, "bars": 1, "steps": 16, "beats": 4, "pitches": 24, "lowest": 48},
    **{"tempo": 120.0, "on_bad": "skip"},
}


def variable(number):
    """A number as MIDI files hold times: seven bits a byte, the first bit set in all but the last."""
    found = [number & 127]
    while number := number >> 7:
        found.insert(0, number & 127 | 128)
    return bytes(found)


def file_of(*tracks, kind=1, ticks=96):
    """The bytes of a file, by its own standard: tracks of (ticks since the last event, the bytes of an event)."""
    content = b"MThd" + struct.pack(">IHHH", 6, kind, len(tracks), ticks)
    for events in tracks:
        inside = b"".join(variable(wait) + bytes(event) for wait, event in [*events, (0, (0xFF, 0x2F, 0))])
        content += b"MTrk" + struct.pack(">I", len(inside)) + inside
    return content


def sound(pitch, channel=0):
    return (0x90 | channel, pitch, 64)


def silence(pitch, channel=0):
    return (0x80 | channel, pitch, 0)


def source(folder, **settings):
    return Midi(folder, **{**SETTINGS, **settings})


def test_notes_begin_and_end_as_the_file_says(tmp_path):
    path = tmp_path / "a.mid"
    first = [(0, sound(60)), (96, silence(60)), (48, sound(64)), (96, (0x90, 64, 0)), (0, sound(67)), (24, sound(67))]
    path.write_bytes(
        file_of(first, [(0, sound(36, 9)), (96, silence(36, 9))], [(192, sound(48, 1)), (24, silence(48, 1))])
    )
    # A note of loudness 0 is an end; one that begins again ends the first; one without an end lasts to the track's.
    assert read_notes(path) == [
        [Note(60, 0.0, 1.0), Note(64, 1.5, 2.5), Note(67, 2.5, 2.75)],
        [Note(48, 2.0, 2.25)],
    ]


def test_a_roll_has_notes_at_their_steps_and_the_parts_that_are_too_many_in_the_last_track():
    parts = [[Note(60, 0.0, 1.0)], [Note(50, 0.5, 0.51)], [Note(40, 1.0, 1.5), Note(99, 1.0, 1.25)]]
    roll = as_rolls(parts, 2, 48, 24, 4)
    assert roll.shape == (2, 24, 7)
    assert roll.nonzero().tolist() == [
        *([0, 12, step] for step in range(4)),
        [1, 2, 2],  # shorter than a step, and yet there
        *([1, 4, step] for step in (4, 5)),  # 40 and 99 are 52 and 63 by octaves
        [1, 15, 4],
    ]
    assert as_rolls([], 1, 48, 24, 4).sum() == 0


def test_pitches_beyond_come_in_by_as_few_octaves_as_it_takes():
    assert [into(pitch, 24) for pitch in (-13, -12, -1, 0, 23, 24, 35, 36)] == [11, 0, 11, 0, 23, 12, 23, 12]
    assert [into(pitch, 12) for pitch in (-1, 12, 25)] == [11, 0, 1]


def test_what_is_written_is_read_as_it_was(tmp_path):
    rolls = (torch.rand(3, 2, 24, 16, generator=torch.Generator().manual_seed(0)) > 0.8).float()
    rolls[:, :, :, -1] = 0
    files = Midi.write(tmp_path / "songs.png", rolls * 0.7, SETTINGS)
    assert [file.relative_to(tmp_path).as_posix() for file in files] == [f"songs_mid/00000{i}.mid" for i in range(3)]
    data = source(tmp_path / "songs_mid").load("train")
    assert torch.equal(data.samples, rolls) and torch.equal(data.extra["melody"], rolls[:, :1])
    played = mido.MidiFile(files[0])
    # 15 steps of a sixteenth at 120 quarters a minute, but for those after the last note.
    last = int(rolls[0].flatten(0, 1).any(0).nonzero()[-1]) + 1
    assert played.type == 1 and played.length == pytest.approx(last / 8, abs=1e-3)


def test_made_rolls_are_written_where_there_is_what_writes_them(tmp_path, monkeypatch):
    made = PianoRolls(1, 16, 24, 2)
    rolls = made.load("train").samples
    settings = {"bars": 1, "steps": 16, "pitches": 24}
    PianoRolls.write(tmp_path / "sample.png", rolls, settings)
    again = source(tmp_path / "sample_mid").load("train").samples
    # Neighbours of one pitch are one note, so that rolls come back as they were.
    assert torch.equal(again, rolls)
    monkeypatch.setattr(music, "find_spec", lambda name: None)
    assert PianoRolls.write(tmp_path / "other.png", rolls, settings) == []


def test_files_are_cut_into_pieces_without_those_that_are_silent(tmp_path):
    # A note at the start, then a bar of silence, then one more note.
    (tmp_path / "a.MID").write_bytes(
        file_of([(0, sound(60)), (96, silence(60)), (96 * 8, sound(62)), (96, silence(62))])
    )
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.midi").write_bytes(file_of([(0, sound(50)), (24, silence(50))]))
    (tmp_path / "._a.mid").write_bytes(b"what another system keeps beside a file")
    (tmp_path / "notes.txt").write_text("no music")
    found = source(tmp_path)
    assert found.names == ["a.MID", "deep/b.midi"]
    data = found.load("train")
    assert found.shape.sample == (2, 24, 16) and len(data) == 3 and data.notes == ()
    assert data.samples.flatten(1).sum(1).tolist() == [4, 4, 1]
    assert data.samples[1].nonzero()[:, 1:].tolist() == [[14, step] for step in range(4, 8)]


def test_damaged_files_are_named_and_counted(tmp_path):
    whole = file_of([(0, sound(60)), (96, silence(60))])
    (tmp_path / "a.mid").write_bytes(whole)
    (tmp_path / "cut.mid").write_bytes(whole[:-6])
    (tmp_path / "text.mid").write_text("no music")
    (tmp_path / "empty.mid").write_bytes(b"")
    (tmp_path / "years.mid").write_bytes(file_of([(0, sound(60)), (2**27, silence(60))]))
    (tmp_path / "film.mid").write_bytes(file_of([(0, sound(60)), (9, silence(60))], ticks=0xE728))
    (tmp_path / "apart.mid").write_bytes(file_of([(0, sound(60)), (9, silence(60))], kind=2))
    data = source(tmp_path).load("train")
    (note,) = data.notes
    assert len(data) == 1 and note.startswith("6 of 7 MIDI files cannot be read: ")
    for said in (
        *("cut.mid is no whole MIDI file", "text.mid is no whole MIDI file", "empty.mid is no whole MIDI file"),
        *("years.mid it is 1,398,101 quarter notes long", "film.mid is no whole MIDI file: its times are frames"),
        "apart.mid is no whole MIDI file: its tracks are pieces of their own (type 2)",
    ):
        assert said in note
    with pytest.raises(ConfigError, match=r"6 of 7 MIDI files cannot be read: apart.mid .* set data.on_bad=skip"):
        source(tmp_path, on_bad="refuse").load("train")
    (tmp_path / "a.mid").unlink()
    with pytest.raises(ConfigError, match=r"no note in the 6 files of the split 'train'; 6 of 6 MIDI files cannot"):
        source(tmp_path).load("train")


@pytest.mark.parametrize("seed", range(3))
def test_no_damage_ends_otherwise_than_by_its_name(tmp_path, seed):
    whole = bytearray(
        file_of([(0, sound(60)), (96, silence(60)), (0, (0xFF, 0x51, 3, 7, 161, 32)), (9, sound(62))] * 3)
    )
    random = torch.Generator().manual_seed(seed)
    for number in range(60):
        content = bytearray(whole)
        for place in torch.randint(len(whole), (3,), generator=random).tolist():
            content[place] = int(torch.randint(256, (), generator=random))
        (tmp_path / f"{number}.mid").write_bytes(content)
    (tmp_path / "whole.mid").write_bytes(whole)
    data = source(tmp_path).load("train")
    assert len(data) > 1 and "of 61 MIDI files cannot be read" in data.notes[0]


def test_a_larger_file_than_is_read_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(midi_files, "LARGEST", 10)
    (tmp_path / "a.mid").write_bytes(file_of([(0, sound(60)), (96, silence(60))]))
    with pytest.raises(ConfigError, match="up to 10 are read"):
        source(tmp_path).load("train")


def test_the_library_is_asked_for_by_the_name_of_its_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "mido", None)
    with pytest.raises(ConfigError, match=r"pip install 'gan-framework\[midi\]'"):
        source(tmp_path)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"pitches": 11}, "data.pitches=11"),
        ({"lowest": 110}, "the highest pitch would be 133, and there are those from 0 to 127"),
        ({"on_bad": "ignore"}, "data.on_bad='ignore' must be skip or refuse"),
        ({"tempo": 0.0}, "data.tempo=0.0"),
    ],
)
def test_settings_are_refused_by_name(tmp_path, settings, said):
    with pytest.raises(ConfigError, match=said):
        source(tmp_path, **settings)
    with pytest.raises(ConfigError, match=r"there are no .mid or .midi files in it"):
        source(tmp_path)
    with pytest.raises(ConfigError, match="is no folder"):
        source(tmp_path / "nowhere")
