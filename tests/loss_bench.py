"""Truths that every loss on (N, K, H, W) logits and (N, H, W) labels has to meet.

A new loss inherits `LossBench` and names how it is built.
"""
import torch


class LossBench:
    num_classes = 4

    def build(self):
        """Return the loss: called with logits, labels and ignore_index=255."""
        raise NotImplementedError

    def inputs(self, dtype=torch.double):
        generator = torch.Generator().manual_seed(0)
        logits = torch.randn(2, self.num_classes, 5, 6, generator=generator, dtype=dtype)
        labels = torch.randint(self.num_classes, (2, 5, 6), generator=generator)
        labels[:, 2:] = 255
        return logits.requires_grad_(), labels

    def test_ignored_pixels_have_no_influence(self):
        logits, labels = self.inputs()
        changed = logits.detach().clone()
        changed[:, :, 2:] += 7 * torch.randn(changed[:, :, 2:].shape, dtype=changed.dtype)
        loss = self.build()
        assert loss(changed, labels, ignore_index=255) == loss(logits, labels, ignore_index=255)
        loss(logits, labels, ignore_index=255).backward()
        assert logits.grad[:, :, 2:].abs().max() == 0 < logits.grad[:, :, :2].abs().max()

    def test_no_labelled_pixel_gives_zero_with_a_gradient_path(self):
        logits, labels = self.inputs()
        value = self.build()(logits, torch.full_like(labels, 255), ignore_index=255)
        value.backward()
        assert value == 0 and logits.grad.abs().max() == 0

    def test_more_ignored_pixels_do_not_dilute_the_loss(self):
        logits, labels = self.inputs()
        loss = self.build()
        whole = loss(logits, labels, ignore_index=255)
        torch.testing.assert_close(whole, loss(logits[:, :, :2], labels[:, :2], ignore_index=255))

    def test_gradient_is_that_of_the_value(self):
        logits, labels = self.inputs()
        assert torch.autograd.gradcheck(
            lambda x: self.build()(x, labels, ignore_index=255), (logits, ))

    def test_the_order_of_the_batch_does_not_matter(self):
        logits, labels = self.inputs()
        loss = self.build()
        torch.testing.assert_close(loss(logits.flip(0), labels.flip(0), ignore_index=255),
                                   loss(logits, labels, ignore_index=255))

    def test_bfloat16_is_finite_and_close(self):
        logits, labels = self.inputs()
        loss = self.build()
        half = loss(logits.bfloat16(), labels, ignore_index=255)
        torch.testing.assert_close(half.double(), loss(logits, labels, ignore_index=255), rtol=0.02,
                                   atol=0.02)
