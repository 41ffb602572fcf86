"""Slot: a folder for each worker on a machine."""

from pathlib import Path

from streams.once.slot import Slot


def test_workers_that_share_a_data_folder_get_folders_of_their_own(tmp_path: Path) -> None:
    """The second holder gets the next folder."""
    one, two = Slot(tmp_path), Slot(tmp_path)
    assert [one.folder, two.folder] == [tmp_path / "0", tmp_path / "1"]
    one.release()
    two.release()


def test_a_restarted_worker_finds_its_folder_again(tmp_path: Path) -> None:
    """A folder that was given free is the first to be taken."""
    one, two = Slot(tmp_path), Slot(tmp_path)
    one.release()
    again = Slot(tmp_path)
    assert again.folder == tmp_path / "0"
    two.release()
    again.release()
